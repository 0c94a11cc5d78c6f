package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/kubetest"
	"github.com/arbalest-sql/arbalest/internal/config"
)

const (
	release   = "fleet"
	namespace = "analytics"
)

// secured are the values that have no default.
var secured = []string{"clusterKey.secretName=key", "users.secretName=users", "tls.secretName=tls"}

// variants are values beside the secured ones.
var variants = map[string][]string{
	"defaults": secured,
	"insecure": {"clusterKey.secretName=key", "insecure=true"},
	"everything": append([]string{"autoscaling.enabled=true", "serviceMonitor.enabled=true", "serviceMonitor.labels.release=prometheus",
		"coordinator.proxyResults=true", "coordinator.service.type=LoadBalancer", "coordinator.service.annotations.a=b", "worker.threads=3",
		"coordinator.extraArgs[0]=--max-running=5", "worker.extraArgs[0]=--log-level=debug", "worker.podAnnotations.a=b", "worker.nodeSelector.disk=ssd",
		"worker.tolerations[0].key=dedicated", "worker.tolerations[0].operator=Exists", "worker.priorityClassName=high", "imagePullSecrets[0].name=registry",
		"coordinator.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1",
		"coordinator.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey=zone",
		"data.volumes[0].name=data", "data.volumes[0].persistentVolumeClaim.claimName=lake", "data.mounts[0].name=data", "data.mounts[0].mountPath=/data",
		"networkPolicy.clients[0].ipBlock.cidr=10.0.0.0/8", "image.tag=v9"}, secured...),
	"over etcd": append([]string{"cluster=etcd", "etcd.endpoints[0]=etcd-0.etcd:2379", "etcd.endpoints[1]=etcd-1.etcd:2379", "etcd.tls.secretName=etcd",
		"etcd.tls.clientCertificate=true", "etcd.user=arbalest", "etcd.passwordSecretName=password", "etcd.prefix=/somewhere/else", "tls.clients=optional",
		"tls.certManager.issuerRef.name=internal", "tls.certManager.issuerRef.kind=ClusterIssuer", "tls.certManager.dnsNames[0]=sql.example.org"}, secured...),
	"etcd in the open":        {"cluster=etcd", "etcd.endpoints[0]=etcd:2379", "clusterKey.secretName=key", "insecure=true"},
	"certificates of clients": append([]string{"tls.clients=required"}, secured...),
	"nothing extra":           append([]string{"networkPolicy.enabled=false", "podDisruptionBudget.enabled=false"}, secured...),
}

// helm runs Helm over the chart with values.
func helm(t *testing.T, values []string, args ...string) (string, error) {
	t.Helper()
	binary, err := harness.Tool("helm-"+kubetest.HelmVersion, "make tools-helm")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		args = append(args, "--set", v)
	}
	cmd := exec.Command(binary, args...)
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func chart(t *testing.T) string {
	t.Helper()
	path, err := harness.Path("deploy", "helm")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An object is a manifest, and its text.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Spec       struct {
		Template struct{ Spec podSpec }
		DNSNames []string `yaml:"dnsNames"` // of a Certificate
		Usages   []string
	}
	text string
}

type podSpec struct {
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
	Containers                    []struct {
		Name            string
		Args            []string
		SecurityContext struct {
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		ReadinessProbe map[string]any `yaml:"readinessProbe"`
		LivenessProbe  map[string]any `yaml:"livenessProbe"`
		StartupProbe   map[string]any `yaml:"startupProbe"`
		VolumeMounts   []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name     string
		EmptyDir map[string]any `yaml:"emptyDir"`
	}
}

// render gives the chart's objects for values.
func render(t *testing.T, values []string) []object {
	t.Helper()
	out, err := helm(t, values, "template", release, chart(t), "--namespace", namespace)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all []object
	for d := yaml.NewDecoder(strings.NewReader(out)); ; {
		var node yaml.Node
		if err := d.Decode(&node); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var o object
		var text bytes.Buffer
		if err := errors.Join(node.Decode(&o), yaml.NewEncoder(&text).Encode(&node)); err != nil {
			t.Fatal(err)
		}
		if o.Kind == "" {
			continue
		}
		o.text = text.String()
		all = append(all, o)
	}
	return all
}

// path is where the API server keeps the object.
func (o object) path() string {
	plural := strings.ToLower(o.Kind) + "s"
	if o.Kind == "NetworkPolicy" {
		plural = "networkpolicies"
	}
	group := "/apis/" + o.APIVersion
	if o.APIVersion == "v1" {
		group = "/api/v1"
	}
	return fmt.Sprintf("%s/namespaces/%s/%s/%s", group, o.Metadata.Namespace, plural, o.Metadata.Name)
}

// custom are the kinds of operators that the API server is made to know: of Prometheus's, and cert-manager's with the fields of
// its own definition that the chart uses.
var custom = map[string]string{
	"servicemonitors.monitoring.coreos.com": `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {plural: servicemonitors, singular: servicemonitor, kind: ServiceMonitor}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
`,
	"certificates.cert-manager.io": `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificates.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {plural: certificates, singular: certificate, kind: Certificate}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [issuerRef, secretName]
            properties:
              secretName: {type: string}
              issuerRef:
                type: object
                required: [name]
                properties: {name: {type: string}, kind: {type: string}, group: {type: string}}
              dnsNames: {type: array, items: {type: string}}
              usages: {type: array, items: {type: string, enum: [digital signature, key encipherment, server auth, client auth]}}
              privateKey:
                type: object
                properties:
                  algorithm: {type: string, enum: [RSA, ECDSA, Ed25519]}
                  size: {type: integer}
                  rotationPolicy: {type: string, enum: [Never, Always]}
`,
}

// TestChart lints and renders the chart, and lets the API server check every object, in every variant.
func TestChart(t *testing.T) {
	kubetest.Enabled(t)
	server := kubetest.Start(t, nil)
	if err := server.Apply("/api/v1/namespaces/"+namespace, "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}", false); err != nil {
		t.Fatal(err)
	}
	for name, definition := range custom {
		if err := server.Apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+name, definition, false); err != nil {
			t.Fatal(err)
		}
	}
	server.Await("/apis/monitoring.coreos.com/v1")
	server.Await("/apis/cert-manager.io/v1")
	kinds := map[string]int{}
	for name, values := range variants {
		t.Run(name, func(t *testing.T) {
			if out, err := helm(t, values, "lint", "--strict", chart(t)); err != nil {
				t.Errorf("helm lint: %v\n%s", err, out)
			}
			for _, o := range render(t, values) {
				kinds[o.Kind]++
				if err := server.Apply(o.path(), o.text, true); err != nil {
					t.Errorf("%s %s: %v", o.Kind, o.Metadata.Name, err)
				}
			}
		})
	}
	for _, kind := range []string{"Deployment", "StatefulSet", "Service", "ServiceAccount", "Role", "RoleBinding", "PodDisruptionBudget",
		"HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor", "Certificate"} {
		if kinds[kind] == 0 {
			t.Errorf("no variant has a %s", kind)
		}
	}
	bad := render(t, secured)[0]
	if err := server.Apply(bad.path(), bad.text+"\nnonsense: {}\n", true); err == nil {
		t.Error("the server accepts anything")
	}
}

// Pods run without rights, are probed, have time to drain, and their flags are those of the binary.
func TestPods(t *testing.T) {
	kubetest.Enabled(t)
	for name, values := range variants {
		roles := map[string]config.Role{"coordinator": config.Coordinator, "worker": config.Worker}
		for _, o := range render(t, values) {
			pod := o.Spec.Template.Spec
			for _, c := range pod.Containers {
				where := name + ": " + c.Name
				s := c.SecurityContext
				if !pod.SecurityContext.RunAsNonRoot || !s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
					strings.Join(s.Capabilities.Drop, "") != "ALL" {
					t.Errorf("%s has rights that it does not need: %+v", where, s)
				}
				if pod.TerminationGracePeriodSeconds <= 30 {
					t.Errorf("%s is killed after %d s; draining takes 30", where, pod.TerminationGracePeriodSeconds)
				}
				if c.Name == "worker" && (pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken) {
					t.Errorf("%s has a token of the API server", where)
				}
				writable := map[string]bool{}
				for _, m := range c.VolumeMounts {
					for _, v := range pod.Volumes {
						writable[m.MountPath] = writable[m.MountPath] || v.Name == m.Name && v.EmptyDir != nil
					}
				}
				if !writable["/tmp"] || c.Name == "worker" && !writable["/spill"] {
					t.Errorf("%s may not write where it has to: %v", where, writable)
				}
				if c.ReadinessProbe == nil || c.LivenessProbe == nil || c.StartupProbe == nil {
					t.Errorf("%s is not probed", where)
				}
				role, known := roles[c.Name]
				if !known || len(c.Args) == 0 || c.Args[0] != c.Name {
					t.Fatalf("%s: arguments %v", where, c.Args)
				}
				delete(roles, c.Name)
				_, flags := config.NewNode(role)
				if err := config.Load(flags, c.Args[1:], func(string) (string, bool) { return "", false }); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
		}
		if len(roles) > 0 {
			t.Errorf("%s: no containers of %v", name, roles)
		}
	}
}

// Values that would start an open or broken cluster are refused, with what is missing.
func TestRefusals(t *testing.T) {
	kubetest.Enabled(t)
	for missing, values := range map[string][]string{
		"clusterKey.secretName": {"insecure=true"},
		"tls.secretName":        {"clusterKey.secretName=key", "users.secretName=users"},
		"users.secretName":      {"clusterKey.secretName=key", "tls.secretName=tls"},

		"etcd.endpoints":          {"cluster=etcd", "clusterKey.secretName=key", "insecure=true"},
		"etcd.passwordSecretName": {"cluster=etcd", "etcd.endpoints[0]=e:1", "etcd.user=u", "clusterKey.secretName=key", "insecure=true"},
	} {
		out, err := helm(t, values, "template", release, chart(t))
		if err == nil || !strings.Contains(out, missing+" is missing") {
			t.Errorf("without %s: %v\n%s", missing, err, out)
		}
	}
	for _, wrong := range []string{"cluster=memory", "tls.clients=maybe"} {
		if out, err := helm(t, append([]string{wrong}, secured...), "template", release, chart(t)); err == nil || !strings.Contains(out, "is not known") {
			t.Errorf("%s: %v\n%s", wrong, err, out)
		}
	}
}
