package kubernetes

import (
	"context"
	"math/rand/v2"
	"strings"

	"github.com/rs/zerolog"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A follower tells apply, from one goroutine at a time, all places of a Service and every change of them.
type follower struct {
	client             *rest.RESTClient
	server             string // for messages
	namespace, service string
	log                zerolog.Logger
	apply              func(map[place]bool)

	slices map[string][]place // by the slice's name
}

func (f *follower) request(options meta.ListOptions) *rest.Request {
	options.LabelSelector = discovery.LabelServiceName + "=" + f.service
	return f.client.Get().Namespace(f.namespace).Resource("endpointslices").VersionedParams(&options, meta.ParameterCodec)
}

// unavailable says what could not be done.
func (f *follower) unavailable(what string, err error) error {
	return qerr.Wrap(qerr.Unavailable, what+" EndpointSlices of "+f.namespace+"/"+f.service+" at "+f.server, err)
}

// list reads every slice and returns the version that it was read at.
func (f *follower) list(ctx context.Context) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	var all discovery.EndpointSliceList
	if err := f.request(meta.ListOptions{}).Do(ctx).Into(&all); err != nil {
		return "", f.unavailable("list", err)
	}
	f.slices = make(map[string][]place, len(all.Items))
	for i := range all.Items {
		f.slices[all.Items[i].Name] = placesOf(&all.Items[i])
	}
	f.tell()
	return all.ResourceVersion, nil
}

// tell gives the places of all slices; one place may be in two while Kubernetes moves it.
func (f *follower) tell() {
	places := map[place]bool{}
	for _, slice := range f.slices {
		for _, p := range slice {
			places[p] = true
		}
	}
	f.apply(places)
}

// run follows from a version on until ctx ends; what it missed while the API server was away it reads whole.
func (f *follower) run(ctx context.Context, version string) {
	backoff := backoffMin
	for ctx.Err() == nil {
		advanced, err := f.watch(ctx, version)
		if ctx.Err() != nil {
			return
		}
		if advanced {
			backoff = backoffMin
		}
		f.log.Info().Err(err).Dur("retry_in", backoff).Msg("EndpointSlices are watched anew")
		for {
			pause(ctx, backoff/2+rand.N(backoff/2))
			backoff = min(2*backoff, backoffMax)
			if version, err = f.list(ctx); err == nil || ctx.Err() != nil {
				break
			}
			f.log.Warn().Err(err).Dur("retry_in", backoff).Msg("the list of workers' addresses may be stale")
		}
	}
}

// watch tells changes until the watch ends: the API server ends every one after a while, with an error when the version is
// too old.
func (f *follower) watch(ctx context.Context, version string) (advanced bool, err error) {
	w, err := f.request(meta.ListOptions{Watch: true, ResourceVersion: version, AllowWatchBookmarks: true}).Watch(ctx)
	if err != nil {
		return false, f.unavailable("watch", err)
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		slice, isSlice := event.Object.(*discovery.EndpointSlice)
		switch {
		case event.Type == watch.Error:
			return advanced, f.unavailable("watch", apierrors.FromObject(event.Object))
		case event.Type == watch.Bookmark || !isSlice:
		case event.Type == watch.Deleted:
			delete(f.slices, slice.Name)
			f.tell()
		default:
			f.slices[slice.Name] = placesOf(slice)
			f.tell()
		}
		advanced = true
	}
	return advanced, f.unavailable("watch", context.Cause(ctx))
}

// validService reports whether the names can stand in a label selector and a path.
func validService(names ...string) bool {
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "/,=!() ") {
			return false
		}
	}
	return true
}
