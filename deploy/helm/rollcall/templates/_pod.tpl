{{- /* What the service needs in its pod; the chart's test runs the same command line in the same surroundings. */}}
{{- define "rollcall.environment" -}}
- {name: LIVEKIT_URL, value: {{ required "livekit.url is empty: where is LiveKit? (wss://livekit.example)" .Values.livekit.url | quote }}}
- {name: LIVEKIT_API_KEY_FILE, value: /etc/rollcall/keys/LIVEKIT_API_KEY}
- {name: LIVEKIT_API_SECRET_FILE, value: /etc/rollcall/keys/LIVEKIT_API_SECRET}
- {name: ROLLCALL_API_TOKENS_FILE, value: /etc/rollcall/keys/ROLLCALL_API_TOKENS}
{{- if not .Values.embeddedStore.enabled }}
- {name: REDIS_URL_FILE, value: /etc/rollcall/keys/REDIS_URL}
{{- end }}
- {name: ROLLCALL_CONFIG, value: /etc/rollcall/config/rollcall.yaml}
- {name: ROLLCALL_PORT, value: "8080"}
- {name: ROLLCALL_DRAIN, value: {{ printf "%ds" (int .Values.drainSeconds) | quote }}}
{{- end }}

{{- define "rollcall.mounts" -}}
- {name: keys, mountPath: /etc/rollcall/keys, readOnly: true}
- {name: config, mountPath: /etc/rollcall/config, readOnly: true}
- {name: state, mountPath: /var/lib/rollcall}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "rollcall.fileVolumes" -}}
- name: keys
  secret: {secretName: {{ include "rollcall.keysSecret" . }}, defaultMode: 0440}
- name: config
  {{- if include "rollcall.configInSecret" . }}
  secret: {secretName: {{ include "rollcall.configName" . }}, defaultMode: 0440}
  {{- else }}
  configMap: {name: {{ include "rollcall.configName" . }}}
  {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end }}

{{- define "rollcall.volumes" -}}
{{ include "rollcall.fileVolumes" . }}
- name: state
  {{- if .Values.embeddedStore.enabled }}
  persistentVolumeClaim: {claimName: {{ include "rollcall.fullname" . }}-state}
  {{- else }}
  emptyDir: {sizeLimit: 64Mi}
  {{- end }}
{{- end }}

{{- /* Over nodes and zones as far as there are, given the labels of the pods. */}}
{{- define "rollcall.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- $ | nindent 6 }}
{{- end }}
{{- end }}
