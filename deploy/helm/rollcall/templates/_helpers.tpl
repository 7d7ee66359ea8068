{{- define "rollcall.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "rollcall.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "rollcall.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "rollcall.common" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: rollcall
{{- end }}

{{- define "rollcall.selectorLabels" -}}
app.kubernetes.io/name: {{ include "rollcall.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: orchestrator
{{- end }}

{{- define "rollcall.workerLabels" -}}
app.kubernetes.io/name: {{ include "rollcall.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: worker
{{- end }}

{{- define "rollcall.labels" -}}
{{ include "rollcall.selectorLabels" . }}
{{ include "rollcall.common" . }}
{{- end }}

{{- define "rollcall.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "rollcall.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "rollcall.image" -}}
{{- $image := .image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .appVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "rollcall.keysSecret" -}}
{{- default (printf "%s-keys" (include "rollcall.fullname" .)) .Values.storeKeysInSecret.existingSecret }}
{{- end }}

{{- define "rollcall.configName" -}}
{{- default (printf "%s-config" (include "rollcall.fullname" .)) .Values.storeConfigInSecret.existingSecret }}
{{- end }}

{{- define "rollcall.configInSecret" -}}
{{- if or .Values.storeConfigInSecret.enabled .Values.storeConfigInSecret.existingSecret }}yes{{ end }}
{{- end }}

{{- /* The rules find Rollcall's jobs by this beginning; each release, and so each LiveKit project, has one of its own. */}}
{{- define "rollcall.job" -}}
{{- $name := include "rollcall.fullname" . }}
{{- ternary $name (printf "rollcall-%s" $name) (hasPrefix "rollcall" $name) }}
{{- end }}

{{- /* What no schema can compare. */}}
{{- define "rollcall.refuse" -}}
{{- $keys := .Values.storeKeysInSecret }}
{{- $redis := or $keys.existingSecret $keys.keys.REDIS_URL }}
{{- if .Values.embeddedStore.enabled }}
  {{- if or (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled }}
    {{- fail "embeddedStore is for one replica: set storeKeysInSecret.keys.REDIS_URL, or replicaCount: 1 and autoscaling.enabled: false" }}
  {{- end }}
  {{- if $keys.keys.REDIS_URL }}
    {{- fail "embeddedStore.enabled and storeKeysInSecret.keys.REDIS_URL are both set, and nobody can tell which of them you mean" }}
  {{- end }}
{{- else if not $redis }}
  {{- fail "there is no store: set storeKeysInSecret.keys.REDIS_URL (or an existingSecret that has it), or embeddedStore.enabled: true with replicaCount: 1" }}
{{- end }}
{{- if not $keys.existingSecret }}
  {{- range list "LIVEKIT_API_KEY" "LIVEKIT_API_SECRET" "ROLLCALL_API_TOKENS" }}
    {{- if not (get $keys.keys .) }}
      {{- fail (printf "storeKeysInSecret.keys.%s is empty: set it, or name an existingSecret" .) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if lt (int .Values.terminationGracePeriodSeconds) (add (int .Values.drainSeconds) 15 | int) }}
  {{- fail (printf "terminationGracePeriodSeconds (%d) must be at least 15 longer than drainSeconds (%d): a replica that is killed in its drain hands nothing over" (int .Values.terminationGracePeriodSeconds) (int .Values.drainSeconds)) }}
{{- end }}
{{- if and .Values.storeConfigInSecret.existingSecret .Values.config }}
  {{- fail "config and storeConfigInSecret.existingSecret are both set, and nobody can tell which of them you mean" }}
{{- end }}
{{- if and (not (include "rollcall.configInSecret" .)) (regexMatch `(?m)^[ -]*(secret|apprise|api_tokens|livekit_api_secret|redis_url):` (toYaml .Values.config)) }}
  {{- fail "config holds a secret (of a webhook, a further key, a JWT, or an apprise URL), and would stand in a ConfigMap: set storeConfigInSecret.enabled: true" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
  {{- fail "autoscaling.minReplicas is larger than autoscaling.maxReplicas" }}
{{- end }}
{{- if and .Values.worker.create (not .Values.worker.agentName) }}
  {{- fail "worker.agentName is empty: Rollcall dispatches by this name" }}
{{- end }}
{{- end }}
