{{- /* What runs in a Pod: `args` to the program; `isService` for the service itself, which is probed. */}}
{{- define "scorewatch.pod" -}}
{{- $root := .root }}
{{- $args := .args }}
{{- $isService := .isService }}
{{- with .root }}
{{- $name := include "scorewatch.name" . }}
{{- $sqlite := .Values.store.sqlite.enabled }}
serviceAccountName: {{ include "scorewatch.serviceAccount" . }}
# It never asks Kubernetes for anything.
automountServiceAccountToken: false
enableServiceLinks: false
# The service ends within 10 s; the rest is a reserve.
terminationGracePeriodSeconds: 20
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
containers:
  - name: scorewatch
    image: {{ include "scorewatch.image" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args: {{- toYaml $args | nindent 6 }}
    env:
      - { name: SCOREWATCH_CONFIG, value: /etc/scorewatch/main/scorewatch.yaml }
      - { name: SCOREWATCH_LOG, value: {{ .Values.logLevel | quote }} }
      {{- with .Values.env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    ports:
      - { name: http, containerPort: 8080 }
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      privileged: false
      capabilities: { drop: [ALL] }
    {{- if $isService }}
    # The first start after an upgrade changes the store before it answers.
    startupProbe:
      httpGet: { path: /readyz, port: http }
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: {{ max 1 (div (int .Values.startupSeconds) 5) }}
    readinessProbe:
      httpGet: { path: /readyz, port: http }
      periodSeconds: 10
      timeoutSeconds: 5
    livenessProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 20
      timeoutSeconds: 5
      failureThreshold: 5
    {{- end }}
    resources: {{- toYaml .Values.resources | nindent 6 }}
    volumeMounts:
      - { name: main, mountPath: /etc/scorewatch/main, readOnly: true }
      - { name: rules, mountPath: /etc/scorewatch/rules, readOnly: true }
      - { name: tenants, mountPath: /etc/scorewatch/tenants, readOnly: true }
      - { name: templates, mountPath: /etc/scorewatch/templates, readOnly: true }
      - { name: secrets, mountPath: /etc/scorewatch/secrets, readOnly: true }
      - { name: data, mountPath: /data }
      - { name: tmp, mountPath: /tmp }
      {{- if .Values.workloadIdentity.enabled }}
      - { name: azure-token, mountPath: /var/run/secrets/azure/tokens, readOnly: true }
      {{- end }}
volumes:
  - name: main
    configMap: { name: {{ $name }}-config }
  {{- range $kind := list "rules" "tenants" "templates" }}
  - name: {{ $kind }}
    projected:
      sources:
        # It is there even if it is empty, so that a first file is no reason to restart.
        - configMap: { name: {{ $name }}-{{ $kind }} }
        {{- range index $root.Values (printf "%sFrom" $kind) }}
        - configMap: { name: {{ . }} }
        {{- end }}
  {{- end }}
  - name: secrets
    {{- if .Values.secretsFrom }}
    projected:
      # The group of the Pod reads them, and nobody else.
      defaultMode: 0440
      sources:
        {{- range .Values.secretsFrom }}
        - secret: { name: {{ . }} }
        {{- end }}
    {{- else }}
    emptyDir: { sizeLimit: 1Mi }
    {{- end }}
  - name: tmp
    emptyDir: { medium: Memory, sizeLimit: 64Mi }
  {{- if .Values.workloadIdentity.enabled }}
  - name: azure-token
    projected:
      sources:
        - serviceAccountToken:
            path: azure-identity-token
            audience: {{ .Values.workloadIdentity.audience }}
            expirationSeconds: 3600
  {{- end }}
  {{- if not $sqlite }}
  - name: data
    emptyDir: { sizeLimit: 64Mi }
  {{- else if .Values.store.sqlite.existingClaim }}
  - name: data
    persistentVolumeClaim: { claimName: {{ .Values.store.sqlite.existingClaim }} }
  {{- else if not $isService }}
  # The one that the StatefulSet made for its only Pod.
  - name: data
    persistentVolumeClaim: { claimName: data-{{ $name }}-0 }
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else if and $isService (gt (int .Values.replicas) 1) }}
# Not all on one node, as long as there are others.
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "scorewatch.selector" . | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
