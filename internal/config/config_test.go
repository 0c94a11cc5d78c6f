package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func load(t *testing.T, role Role, env map[string]string, args ...string) (*Node, error) {
	t.Helper()
	n, flags := NewNode(role)
	err := Load(flags, args, func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	if err == nil {
		err = n.Validate()
	}
	return n, err
}

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "arbalest.yaml")
	if err := os.WriteFile(file, []byte("threads: 3\nworkers: 3\nmemory-limit: 3GB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := load(t, Serve, map[string]string{"ARBALEST_THREADS": "2", "ARBALEST_WORKERS": "2"}, "--threads=1", "--config", file)
	if err != nil {
		t.Fatal(err)
	}
	if n.Threads != 1 || n.Workers != 2 || n.MemoryLimit != 3e9 {
		t.Errorf("threads %d, workers %d, memory %d; want flag 1, environment 2, file 3e9", n.Threads, n.Workers, n.MemoryLimit)
	}
}

func TestEveryFlagIsAKeyAndAVariable(t *testing.T) {
	for _, role := range []Role{Serve, Coordinator, Worker} {
		_, flags := NewNode(role)
		for _, name := range names(flags) {
			if !strings.HasPrefix(EnvName(name), "ARBALEST_") || strings.Contains(EnvName(name), "-") {
				t.Errorf("%s: variable %q", name, EnvName(name))
			}
		}
	}
}

func TestFaultsSayWhichWhyAndWhatIsAllowed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("lisen: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		role Role
		env  map[string]string
		args []string
		want []string
	}{
		{"address", Serve, nil, []string{"--listen", "here"}, []string{"--listen", "here", "HOST:PORT"}},
		{"size", Serve, nil, []string{"--memory-limit", "lots"}, []string{"memory-limit", "lots", "8GB"}},
		{"variable", Serve, map[string]string{"ARBALEST_WORKERS": "many"}, nil, []string{"ARBALEST_WORKERS", "many"}},
		{"unknown key", Serve, nil, []string{"--config", file}, []string{"c.yaml:1", "lisen", "listen"}},
		{"workers", Serve, nil, []string{"--workers", "0"}, []string{"--workers 0", "1 to 64"}},
		{"no places", Serve, nil, []string{"--max-running", "0"}, []string{"--max-running 0", "at least 1"}},
		{"group's share", Coordinator, nil, []string{"--resource-group", "etl:weight=lots"}, []string{"resource-group", "weight=lots", "1 to 1000000"}},
		{"group's part", Coordinator, nil, []string{"--resource-group", "etl:memory=3"}, []string{"memory=3", "users=ann+bob"}},
		{"group twice", Coordinator, nil, []string{"--resource-group", "etl", "--resource-group", "etl"}, []string{"etl", "twice"}},
		{"half of TLS", Serve, nil, []string{"--tls-cert", file}, []string{"--tls-key"}},
		{"exposed", Serve, nil, []string{"--listen", "0.0.0.0:1"}, []string{"--users", "--tls-cert", "--insecure"}},
		{"exposed on every interface", Serve, nil, []string{"--listen", ":1"}, []string{"--users", "--tls-cert", "--insecure"}},
		{"exposed worker", Worker, nil, []string{"--listen", "0.0.0.0:1", "--coordinator", "h:1"}, []string{"--cluster-key", "--insecure"}},
		{"certificates' users without authorities", Serve, nil, []string{"--tls-client-user", "cn"}, []string{"--tls-client-ca"}},
		{"certificates' users", Serve, nil, []string{"--tls-client-user", "serial"}, []string{"serial", "cn, dns, email, uri"}},
		{"optional without authorities", Serve, nil, []string{"--tls-client-optional"}, []string{"--tls-client-ca"}},
		{"keys of nobody", Serve, nil, []string{"--jwks", file}, []string{"--jwt-issuer", "--jwt-audience"}},
		{"issuer without keys", Serve, nil, []string{"--jwt-issuer", "i"}, []string{"--jwks"}},
		{"missing keys", Serve, nil, []string{"--jwks", dir + "/none", "--jwt-issuer", "i", "--jwt-audience", "a"}, []string{"--jwks", "none"}},
		{"skew", Serve, nil, []string{"--jwt-clock-skew", "1h"}, []string{"--jwt-clock-skew 1h", "10m"}},
		{"short tokens", Serve, nil, []string{"--token-ttl", "1s"}, []string{"--token-ttl 1s", "1m"}},
		{"login shorter than tokens", Serve, nil, []string{"--login-max", "1h"}, []string{"--login-max 1h"}},
		{"missing tokens", Serve, nil, []string{"--tokens", dir + "/none"}, []string{"--tokens", "none"}},
		{"no coordinator", Worker, nil, nil, []string{"--coordinator", "missing"}},
		{"missing data", Serve, nil, []string{"--data", dir + "/none"}, []string{"--data", "none"}},
		{"data is a file", Serve, nil, []string{"--data", file}, []string{"--data", "not a directory"}},
		{"all at once", Serve, nil, []string{"--workers", "0", "--threads", "0"}, []string{"--workers", "--threads"}},
		{"cluster", Coordinator, nil, []string{"--cluster", "zoo"}, []string{"zoo", "memory", "etcd://"}},
		{"etcd without a port", Coordinator, nil, []string{"--cluster", "etcd://h", "--cluster-key", file}, []string{"etcd://h", "HOST:PORT"}},
		{"etcd without a key", Worker, nil, []string{"--cluster", "etcd://h:1"}, []string{"--cluster-key"}},
		{"etcd and a coordinator", Worker, nil, []string{"--cluster", "etcd://h:1", "--coordinator", "h:2", "--cluster-key", file}, []string{"--coordinator", "exclude"}},
		{"kubernetes without a service", Coordinator, nil, []string{"--cluster", "kubernetes://ns", "--cluster-key", file}, []string{"kubernetes://ns", "NAMESPACE/SERVICE"}},
		{"kubernetes without a key", Worker, nil, []string{"--cluster", "kubernetes://ns/svc"}, []string{"--cluster-key"}},
		{"etcd user alone", Worker, nil, []string{"--cluster", "etcd://h:1", "--cluster-key", file, "--etcd-user", "u"}, []string{"--etcd-password-file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.role, c.env, c.args...)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestInsecureAllowsExposure(t *testing.T) {
	if _, err := load(t, Serve, nil, "--listen", "0.0.0.0:1", "--insecure"); err != nil {
		t.Fatal(err)
	}
}

func TestResourceGroups(t *testing.T) {
	n, err := load(t, Serve, nil, "--resource-group", "etl:weight=2,running=8,queued=100,users=ann+bob", "--resource-group", "ann")
	if err != nil {
		t.Fatal(err)
	}
	want := Groups{{Name: "etl", Weight: 2, Running: 8, Queued: 100, Users: []string{"ann", "bob"}}, {Name: "ann"}}
	if !reflect.DeepEqual(n.ResourceGroups, want) {
		t.Errorf("%+v, want %+v", n.ResourceGroups, want)
	}
}
