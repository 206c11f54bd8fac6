{{- define "scorewatch.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "scorewatch.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "scorewatch.labels" -}}
{{ include "scorewatch.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "scorewatch.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "scorewatch.name" .) }}
{{- end }}

{{- define "scorewatch.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Values that contradict each other, which a schema can't say in words that help. */}}
{{- define "scorewatch.check" -}}
{{- $postgres := .Values.store.postgres.url }}
{{- if and .Values.store.sqlite.enabled $postgres }}
{{- fail "store: there are two stores: set `store.sqlite.enabled: false` or leave `store.postgres.url` empty" }}
{{- end }}
{{- if not (or .Values.store.sqlite.enabled $postgres) }}
{{- fail "store: there is no store: set `store.sqlite.enabled: true` or `store.postgres.url`" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not $postgres) }}
{{- fail (printf "replicas: %d replicas need a store in PostgreSQL: set `store.postgres.url`, or `replicas: 1`" (int .Values.replicas)) }}
{{- end }}
{{- if and $postgres .Values.store.postgres.passwordKey (not .Values.secretsFrom) }}
{{- fail "store.postgres.passwordKey: name the Secret that has this key under `secretsFrom`" }}
{{- end }}
{{- range $key := list "store" "listen" "rules" "tenants" "templates" }}
{{- if hasKey $.Values.config $key }}
{{- fail (printf "config: `%s` is made by the chart: see `store`, `rules`, `tenants` and `templates` in its values" $key) }}
{{- end }}
{{- end }}
{{- if not (or .Values.rulePacks .Values.rules .Values.rulesFrom) }}
{{- fail "rules: there is no rule: add files under `rules`, ConfigMaps under `rulesFrom`, or `rulePacks: [starter]`" }}
{{- end }}
{{- if not (or .Values.tenants .Values.tenantsFrom) }}
{{- fail "tenants: there is no tenant: add files under `tenants`, or ConfigMaps under `tenantsFrom`" }}
{{- end }}
{{- end }}

{{- /* The keys of scorewatch.yaml that follow from the values. A change of the store or the address takes a restart. */}}
{{- define "scorewatch.fixed" -}}
{{- if .Values.store.sqlite.enabled }}
store: sqlite:///data/scorewatch.db
{{- else }}
store:
  postgres: {{ .Values.store.postgres.url | quote }}
  tls: {{ .Values.store.postgres.tls }}
  {{- with .Values.store.postgres.passwordKey }}
  password: { file: {{ printf "/etc/scorewatch/secrets/%s" . | quote }} }
  {{- end }}
  {{- with .Values.store.postgres.caKey }}
  ca: {{ printf "/etc/scorewatch/secrets/%s" . | quote }}
  {{- end }}
{{- end }}
# Reached through the Service and its NetworkPolicy; everything but probes needs a sign-in.
# scorewatch: allow(listen-beyond-loopback)
listen: 0.0.0.0:8080
{{- end }}
