package config

import (
	"fmt"
	"testing"
)

func TestParseEtcd(t *testing.T) {
	for text, want := range map[string]string{
		"etcd://h1:2379":              "[h1:2379] /arbalest",
		"etcd://h1:2379,h2:2/a/b/":    "[h1:2379 h2:2] /a/b",
		"etcd://h1":                   "",
		"etcd://":                     "",
		"etcd://h1:1,/x":              "",
		"etcd://[::1]:2379/":          "[[::1]:2379] /arbalest",
		"http://h1:2379":              "",
		"etcd://user:secret@h1:2379/": "",
		"etcd://h1:2379/x?y=z":        "",
	} {
		endpoints, prefix, err := ParseEtcd(text)
		got := fmt.Sprint(endpoints, " ", prefix)
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestParseKubernetes(t *testing.T) {
	for text, want := range map[string]string{
		"kubernetes://analytics/arbalest-workers": "analytics arbalest-workers",
		"kubernetes://analytics":                  "",
		"kubernetes://":                           "",
		"kubernetes://a/b/c":                      "",
		"kubernetes://A/b":                        "",
		"kubernetes://a/b?c=d":                    "",
		"kubernetes://a/b=c,d":                    "",
		"etcd://h1:2379":                          "",
	} {
		namespace, service, err := ParseKubernetes(text)
		got := namespace + " " + service
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q (%v), want %q", text, got, err, want)
		}
	}
}
