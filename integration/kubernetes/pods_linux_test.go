package kubernetes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"golang.org/x/sys/unix"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/etcdtest"
	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/kubetest"
	"github.com/arbalest-sql/arbalest/integration/ports"
	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/certs/certtest"
)

// ada is the user of these tests.
const ada, horse = "ada", "correct horse"

// A fleet is what the chart's pods run, as processes of this machine with the flags that the chart gives them. They may write to the
// stand-ins of /tmp and /spill alone. Names of pods and Services resolve as in Kubernetes, for them and for clients; every node shows the one certificate that the chart has cert-manager
// make, which carries names alone.
type fleet struct {
	t       *testing.T
	cluster *harness.Cluster
	dir     string // stands for /etc/arbalest
	hosts   string // the file that names resolve by
	doors   []string
}

// pods runs a release of two coordinators and two workers.
// Secrets are files, by where the pods have them, and texts.
func pods(t *testing.T, server *kubetest.Server, secrets map[string]string, values ...string) *fleet {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("run this test as root: its processes see names of pods by an /etc/hosts of their own")
	}
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	objects := render(t, slices.Concat(secured, values, []string{"tls.certManager.issuerRef.name=internal"}))
	f := &fleet{t: t, dir: t.TempDir()}
	f.secrets(objects)
	for name, from := range secrets {
		if text, err := os.ReadFile(from); err == nil {
			from = string(text)
		}
		f.write(name, from)
	}
	at := near(t)
	addresses, err := ports.Free(at, 4)
	if err != nil {
		t.Fatal(err)
	}
	f.doors = addresses[:2]
	var named []endpoint
	lines := fmt.Sprintf("127.0.0.1 localhost\n%s %s-arbalest.%s.svc\n", at, release, namespace)
	for i, address := range addresses[2:] {
		pod := fmt.Sprintf("%s-%d", workersService, i)
		named = append(named, endpoint{address, pod})
		lines += fmt.Sprintf("%s %s.%s.%s.svc\n", at, pod, workersService, namespace)
	}
	f.hosts = f.write("hosts", lines)
	env := []string{"TMPDIR=" + f.folder("tmp")}
	if server != nil {
		env = append(env, "KUBECONFIG="+server.Kubeconfig(install(t, server)))
		if err := list(server, named); err != nil {
			t.Fatal(err)
		}
	}
	meet, flags, doorAt := f.flags(objects, "coordinator")
	_, workFlags, workerAt := f.flags(objects, "worker")
	site := func(listen, advertise string) harness.Site {
		host, port, err := net.SplitHostPort(listen)
		if err != nil {
			t.Fatal(err)
		}
		advertise = strings.ReplaceAll(advertise, "$(POD_IP)", host)
		return harness.Site{Listen: listen, Advertise: strings.Replace(advertise, ":32010", ":"+port, 1), Spill: f.folder("spill"), Enter: f.enter}
	}
	f.cluster = harness.Start(t, harness.Options{Data: []string{data}, Workers: 2, Standby: 1, Env: env, Meet: meet, Flags: flags, WorkFlags: workFlags,
		DoorSite: func(i int) harness.Site { return site(f.doors[i], doorAt) },
		Site: func(i int) harness.Site {
			return site(addresses[2+i], strings.ReplaceAll(workerAt, "$(POD_NAME)", named[i].hostname))
		}})
	return f
}

func (f *fleet) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *fleet) folder(name string) string {
	f.t.Helper()
	if err := os.MkdirAll(f.path(name), 0o755); err != nil {
		f.t.Fatal(err)
	}
	return f.path(name)
}

func (f *fleet) write(name, text string) string {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(f.path(name)), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(f.path(name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
	return f.path(name)
}

// secrets makes what the chart's Secrets hold, where its pods have them.
func (f *fleet) secrets(objects []object) {
	f.t.Helper()
	key, err := os.ReadFile(keyFile(f.t))
	if err != nil {
		f.t.Fatal(err)
	}
	f.write("key/cluster.key", string(key))
	f.write("users/users", ada+":"+auth.HashPassword(horse)+"\n")
	i := slices.IndexFunc(objects, func(o object) bool { return o.Kind == "Certificate" })
	if i < 0 {
		f.t.Fatal("the chart has no Certificate")
	}
	uses := map[string]x509.ExtKeyUsage{"server auth": x509.ExtKeyUsageServerAuth, "client auth": x509.ExtKeyUsageClientAuth}
	authority, made := certtest.New(f.t), f.t.TempDir()
	cert, private := authority.Issue(f.t, made, "node", func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses, c.ExtKeyUsage = objects[i].Spec.DNSNames, nil, nil
		for _, usage := range objects[i].Spec.Usages {
			if use, ok := uses[usage]; ok {
				c.ExtKeyUsage = append(c.ExtKeyUsage, use)
			}
		}
	})
	for name, from := range map[string]string{"tls.crt": cert, "tls.key": private, "ca.crt": authority.CAFile} {
		text, err := os.ReadFile(from)
		if err != nil {
			f.t.Fatal(err)
		}
		f.write("tls/"+name, string(text))
	}
}

// flags are those of the chart's container of a role, but for what differs on this machine: ports, data, and the sizes of a
// worker. How nodes meet and what they advertise stand apart.
func (f *fleet) flags(objects []object, role string) (meet, flags []string, advertise string) {
	f.t.Helper()
	for _, o := range objects {
		for _, c := range o.Spec.Template.Spec.Containers {
			if c.Name != role {
				continue
			}
			for _, arg := range c.Args[1:] {
				arg = strings.ReplaceAll(arg, "/etc/arbalest/", f.dir+"/")
				name, value, _ := strings.Cut(arg, "=")
				switch name {
				case "--listen", "--http", "--data", "--memory-limit", "--spill-dir", "--max-spill":
				case "--cluster":
					meet = []string{arg}
				case "--advertise":
					advertise = value
				default:
					flags = append(flags, arg)
				}
			}
		}
	}
	if meet == nil || advertise == "" {
		f.t.Fatalf("the chart's %s has no --cluster or --advertise", role)
	}
	return meet, flags, advertise
}

// enter gives the processes that the calling thread starts the files of a pod: names resolve by the fleet's file, and only its
// folders tmp and spill can be written to. The thread is not to be used again.
func (f *fleet) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	const readOnly = unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY
	for _, m := range []struct {
		from, to string
		flags    uintptr
	}{
		{"", "/", unix.MS_REC | unix.MS_PRIVATE},
		{f.hosts, "/etc/hosts", unix.MS_BIND},
		{f.dir, f.dir, unix.MS_BIND},
		{"", f.dir, readOnly},
		{f.path("tmp"), f.path("tmp"), unix.MS_BIND}, // read-only as what it was part of
		{"", f.path("tmp"), unix.MS_BIND | unix.MS_REMOUNT},
		{f.path("spill"), f.path("spill"), unix.MS_BIND},
		{"", f.path("spill"), unix.MS_BIND | unix.MS_REMOUNT},
		{"", "/", readOnly},
	} {
		if err := unix.Mount(m.from, m.to, "", m.flags, ""); err != nil {
			return fmt.Errorf("mount %q at %s with %x: %w", m.from, m.to, m.flags, err)
		}
	}
	return nil
}

// sql runs statements as a client does in a pod, at a coordinator, and gives what is printed.
func (f *fleet) sql(ctx context.Context, door int, statements string, flags ...string) (string, error) {
	f.t.Helper()
	arbalest, err := harness.Binary()
	if err != nil {
		f.t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(f.doors[door])
	if err != nil {
		f.t.Fatal(err)
	}
	args := slices.Concat([]string{"sql", "--server", fmt.Sprintf("grpc+tls://%s-arbalest.%s.svc:%s", release, namespace, port), "--user", ada,
		"--tls-ca", f.path("tls/ca.crt"), "--format", "csv", "-f", f.write("statements.sql", statements)}, flags)
	cmd := exec.CommandContext(ctx, arbalest, args...)
	cmd.Env = append(os.Environ(), "ARBALEST_PASSWORD="+horse)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := f.enter(); err != nil {
			done <- err
			return
		}
		done <- cmd.Run()
	}()
	err = <-done
	return out.String(), err
}

// anyDoor polls a query of one coordinator at the other, and cancels it there: they call each other for that.
func (f *fleet) anyDoor(ctx context.Context) {
	f.t.Helper()
	authorities := x509.NewCertPool()
	text, err := os.ReadFile(f.path("tls/ca.crt"))
	if err != nil || !authorities.AppendCertsFromPEM(text) {
		f.t.Fatalf("the authority: %v", err)
	}
	pair, err := tls.LoadX509KeyPair(f.path("tls/tls.crt"), f.path("tls/tls.key"))
	if err != nil {
		f.t.Fatal(err)
	}
	sessions := make([]*client.Session, len(f.doors))
	for i, door := range f.doors {
		options := client.Options{User: ada, Password: horse, TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities,
			Certificates: []tls.Certificate{pair}, ServerName: release + "-arbalest." + namespace + ".svc"}}
		if sessions[i], err = client.Dial(ctx, door, options); err != nil {
			f.t.Fatal(err)
		}
		defer sessions[i].Close()
	}
	if err := sessions[0].Exec(ctx, "SET arbalest.distributed = 'always'"); err != nil {
		f.t.Fatal(err)
	}
	poll, err := sessions[0].SQL.ExecutePoll(ctx, endless, nil)
	if err != nil || poll.GetFlightDescriptor() == nil {
		f.t.Fatalf("start a long query: %v, %v", poll, err)
	}
	if poll, err = sessions[1].SQL.ExecutePoll(ctx, endless, poll.GetFlightDescriptor()); err != nil || poll.GetFlightDescriptor() == nil {
		f.t.Fatalf("poll it at the other coordinator: %v, %v", poll, err)
	}
	if _, err := sessions[1].SQL.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: poll.GetInfo()}); err != nil {
		f.t.Errorf("cancel it at the other coordinator: %v", err)
	}
}

// TestPodsSpeakTLS runs the release over the API server and over an etcd that demands certificates and logins, with certificates demanded of every caller: nodes prove
// themselves by the names of pods and Services, though they meet at addresses, and clients read at workers by their pods' names.
func TestPodsSpeakTLS(t *testing.T) {
	kubetest.Enabled(t)
	for name, start := range map[string]func(t *testing.T) *fleet{
		"kubernetes": func(t *testing.T) *fleet { return pods(t, kubetest.Start(t, nil), nil, "tls.clients=required") },
		"etcd": func(t *testing.T) *fleet {
			servers, login := etcdtest.StartSecure(t, 3, "/arbalest/"+namespace+"/"+release+"/")
			values := []string{"tls.clients=required", "cluster=etcd", "etcd.tls.secretName=etcd", "etcd.tls.clientCertificate=true",
				"etcd.user=" + login.User, "etcd.passwordSecretName=password"}
			for i, endpoint := range servers.Endpoints() {
				values = append(values, fmt.Sprintf("etcd.endpoints[%d]=%s", i, endpoint))
			}
			return pods(t, nil, map[string]string{"etcd/ca.crt": login.CA, "etcd/tls.crt": login.Cert, "etcd/tls.key": login.Key,
				"etcd-password/password": login.Password}, values...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testLimit)
			defer cancel()
			f := start(t)
			certificate := []string{"--tls-cert", f.path("tls/tls.crt"), "--tls-key", f.path("tls/tls.key")}
			for door := range f.doors {
				// What is right is what one task says.
				out, err := f.sql(ctx, door, "SET arbalest.distributed = 'never';\n"+orderTotals+";\nSET arbalest.distributed = 'always';\n"+orderTotals+
					";\nSELECT advertised FROM sys.workers WHERE status = 'usable';\n", certificate...)
				counts := regexp.MustCompile(`(?m)^[1-9][0-9]*$`).FindAllString(out, -1)
				if err != nil || len(counts) != 2 || counts[0] != counts[1] {
					t.Errorf("coordinator %d: %v\n%s", door+1, err, out)
				}
				for i := range 2 {
					if pod := fmt.Sprintf("%s-%d.%s.%s.svc:", workersService, i, workersService, namespace); !strings.Contains(out, pod) {
						t.Errorf("coordinator %d: no worker is at %s\n%s", door+1, pod, out)
					}
				}
			}
			if out, err := f.sql(ctx, 0, "SELECT 1;\n"); err == nil {
				t.Errorf("a client without a certificate is answered:\n%s", out)
			}
			if name == "etcd" {
				f.anyDoor(ctx)
			}
		})
	}
}
