package kubernetes

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/rs/zerolog"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// leaseTTL is how long the other side of a stream may be silent: four pings.
	leaseTTL = 4 * time.Second
	// pingsInLease is how many pings fit into a lease.
	pingsInLease = 4
	// listTimeout bounds one read of the slices.
	listTimeout = 10 * time.Second
	// backoffMin and backoffMax bound the pause between two tries. A pod that starts is looked for at least this often.
	backoffMin, backoffMax = 100 * time.Millisecond, 2 * time.Second
	// kindGreeting and kindAnswer are the kinds of signed messages.
	kindGreeting, kindAnswer = "greeting", "answer"
	// nonceBytes makes nonces that never come twice.
	nonceBytes = 16
	// portName is the port of the Service that leads to workers when it has several.
	portName = "flight"
)

// A Config says which Service lists the workers and how a coordinator reaches and proves them.
type Config struct {
	// Namespace and Service name the headless Service in front of the workers.
	Namespace, Service string
	// API is how the API server is reached; nil = as the pod's service account, or else as kubectl would.
	API *rest.Config
	// Keys sign greetings and verify answers.
	Keys *auth.Keyring
	// DataLocations is told to every worker: what it may read.
	DataLocations []string
	// TLS, when not nil, is used towards workers. Their certificates must carry the name of their place:
	// HOSTNAME.SERVICE.NAMESPACE.svc when the pod has a hostname in the Service, its address otherwise.
	TLS *tls.Config
	// LeaseTTL is how long a worker may be silent. Default 4 s.
	LeaseTTL time.Duration
	Log      zerolog.Logger

	dial func(ctx context.Context, address string) (net.Conn, error) // tests reach workers by it
}

func (c Config) withDefaults() Config {
	if c.LeaseTTL == 0 {
		c.LeaseTTL = leaseTTL
	}
	return c
}

// client returns a client for EndpointSlices, and what reaches the API server. It knows that one resource: the whole client-go
// would add every API of Kubernetes to the binary.
func (c Config) client() (*rest.RESTClient, *rest.Config, error) {
	api := c.API
	if api == nil {
		var err error
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		if api, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig(); err != nil {
			return nil, nil, qerr.Wrap(qerr.Unavailable, "find the Kubernetes API server", err)
		}
	}
	known := runtime.NewScheme()
	if err := discovery.AddToScheme(known); err != nil {
		return nil, nil, qerr.Wrap(qerr.Internal, "know EndpointSlices", err)
	}
	meta.AddToGroupVersion(known, schema.GroupVersion{Version: "v1"})
	api = rest.CopyConfig(api)
	api.APIPath, api.GroupVersion = "/apis", &discovery.SchemeGroupVersion
	api.NegotiatedSerializer = serializer.NewCodecFactory(known).WithoutConversion()
	api.UserAgent, api.WarningHandler = "arbalest", rest.NoWarnings{}
	client, err := rest.RESTClientFor(api)
	if err != nil {
		return nil, nil, qerr.Wrap(qerr.Unavailable, "reach the Kubernetes API server at "+api.Host, err)
	}
	return client, api, nil
}

// pause sleeps, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
