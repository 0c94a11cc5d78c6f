{{/* What begins every object's name. */}}
{{- define "arbalest.name" -}}
{{- $name := printf "%s-%s" .Release.Name .Chart.Name }}
{{- if contains .Chart.Name .Release.Name }}
{{- $name = .Release.Name }}
{{- end }}
{{- $name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The headless Service in front of the workers: where coordinators find them. */}}
{{- define "arbalest.workers" -}}{{ include "arbalest.name" . }}-workers{{- end }}
{{- define "arbalest.coordinators" -}}{{ include "arbalest.name" . }}{{- end }}

{{- define "arbalest.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "arbalest.selector" . }}
{{- end }}

{{- define "arbalest.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What must be given. */}}
{{- define "arbalest.check" -}}
{{- $_ := required "clusterKey.secretName is missing: a Secret whose key cluster.key nodes prove themselves with" .Values.clusterKey.secretName }}
{{- if not .Values.insecure }}
{{- $_ := required "tls.secretName is missing: a Secret with tls.crt, tls.key and ca.crt; or set insecure" .Values.tls.secretName }}
{{- $_ := required "users.secretName is missing: a Secret whose key users has NAME:HASH lines; or set insecure" .Values.users.secretName }}
{{- end }}
{{- if not (has .Values.cluster (list "kubernetes" "etcd")) }}
{{- fail (printf "cluster %q is not known: kubernetes or etcd" .Values.cluster) }}
{{- end }}
{{- if and (eq .Values.cluster "etcd") (not .Values.etcd.endpoints) }}
{{- fail "etcd.endpoints is missing: HOST:PORT of etcd's members" }}
{{- end }}
{{- if and .Values.etcd.user (not .Values.etcd.passwordSecretName) }}
{{- fail "etcd.passwordSecretName is missing: a Secret whose key password is that of etcd.user" }}
{{- end }}
{{- if not (has .Values.tls.clients (list "none" "optional" "required")) }}
{{- fail (printf "tls.clients %q is not known: none, optional or required" .Values.tls.clients) }}
{{- end }}
{{- end }}

{{/* Where the nodes meet. */}}
{{- define "arbalest.cluster" -}}
{{- if eq .Values.cluster "etcd" -}}
etcd://{{ join "," .Values.etcd.endpoints }}{{ .Values.etcd.prefix | default (printf "/arbalest/%s/%s" .Release.Namespace .Release.Name) }}
{{- else -}}
kubernetes://{{ .Release.Namespace }}/{{ include "arbalest.workers" . }}
{{- end }}
{{- end }}

{{/* Flags of both roles. */}}
{{- define "arbalest.flags" -}}
- --listen=0.0.0.0:32010
- --http=0.0.0.0:32011
- --cluster={{ include "arbalest.cluster" . }}
- --cluster-key=/etc/arbalest/key/cluster.key
{{- if .Values.users.secretName }}
- --users=/etc/arbalest/users/users
{{- end }}
{{- if .Values.tls.secretName }}
- --tls-cert=/etc/arbalest/tls/tls.crt
- --tls-key=/etc/arbalest/tls/tls.key
- --tls-ca=/etc/arbalest/tls/ca.crt
{{- if ne .Values.tls.clients "none" }}
- --tls-client-ca=/etc/arbalest/tls/ca.crt
{{- end }}
{{- if eq .Values.tls.clients "optional" }}
- --tls-client-optional
{{- end }}
{{- end }}
{{- if eq .Values.cluster "etcd" }}
{{- if .Values.etcd.tls.secretName }}
- --etcd-tls-ca=/etc/arbalest/etcd/ca.crt
{{- if .Values.etcd.tls.clientCertificate }}
- --etcd-tls-cert=/etc/arbalest/etcd/tls.crt
- --etcd-tls-key=/etc/arbalest/etcd/tls.key
{{- end }}
{{- end }}
{{- with .Values.etcd.user }}
- --etcd-user={{ . }}
- --etcd-password-file=/etc/arbalest/etcd-password/password
{{- end }}
{{- end }}
{{- if .Values.insecure }}
- --insecure
{{- end }}
{{- end }}

{{- define "arbalest.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: key, mountPath: /etc/arbalest/key, readOnly: true}
{{- if .Values.users.secretName }}
- {name: users, mountPath: /etc/arbalest/users, readOnly: true}
{{- end }}
{{- if .Values.tls.secretName }}
- {name: tls, mountPath: /etc/arbalest/tls, readOnly: true}
{{- end }}
{{- if and (eq .Values.cluster "etcd") .Values.etcd.tls.secretName }}
- {name: etcd, mountPath: /etc/arbalest/etcd, readOnly: true}
{{- end }}
{{- if and (eq .Values.cluster "etcd") .Values.etcd.user }}
- {name: etcd-password, mountPath: /etc/arbalest/etcd-password, readOnly: true}
{{- end }}
{{- range .Values.data.mounts }}
- {{ merge (dict "readOnly" true) . | toJson }}
{{- end }}
{{- end }}

{{- define "arbalest.volumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 1Gi}}
- {name: key, secret: {secretName: {{ .Values.clusterKey.secretName }}, defaultMode: 0440}}
{{- with .Values.users.secretName }}
- {name: users, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.tls.secretName }}
- {name: tls, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- if and (eq .Values.cluster "etcd") .Values.etcd.tls.secretName }}
- {name: etcd, secret: {secretName: {{ .Values.etcd.tls.secretName }}, defaultMode: 0440}}
{{- end }}
{{- if and (eq .Values.cluster "etcd") .Values.etcd.user }}
- {name: etcd-password, secret: {secretName: {{ .Values.etcd.passwordSecretName }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.data.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A process without rights that writes to its volumes only. */}}
{{- define "arbalest.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "arbalest.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "arbalest.ports" -}}
- {name: flight, containerPort: 32010}
- {name: http, containerPort: 32011}
{{- end }}

{{/* Ready when the node takes work; live when it answers at all: a node that waits for others is not restarted. */}}
{{- define "arbalest.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 90
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{- define "arbalest.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Where pods may run: of .place in the root .root, for a component. */}}
{{- define "arbalest.placing" -}}
{{- with .place.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .place.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .place.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- if .place.affinity }}
affinity: {{ toJson .place.affinity }}
{{- else }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "arbalest.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- end }}
