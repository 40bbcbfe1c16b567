# The parts of a cluster that a lab has not got: kubectl, a kubelet, the endpoint controller. Sourced by demos behind demo-lib.sh.
# shellcheck shell=bash

kubectl() { on api /opt/testapi/kubectl "$@"; }
manifest() { kubectl apply -f "/etc/kubernetes/$1.yaml"; }
# What a condition of an object says: True, False, or nothing.
condition() { # object, type
  kubectl get "$1" -o json | jq -r --arg type "$2" '.status.conditions[]? | select(.type == $type).status'; }
is() { [ "$(condition "$1" "$2")" = "$3" ]; }

in_pod() { # node, namespace, name, command...
  on "$1" pod exec "${@:2}"; }
pod_asks() { # node, namespace, name, tcp or udp, address, port, times
  in_pod "${@:1:3}" timeout "${patience:-60}" bash -c "$ASK" ask "${@:4}"; }

# As the scheduler and the kubelet: the object with its node, the runtime's ADD, the status with the addresses. The pod then
# runs answer.py on port 8080.
start_pod() { # node, network, namespace, name, label app
  local added
  jq -n --arg node "$1" --arg namespace "$3" --arg name "$4" --arg app "$5" '{
    apiVersion: "v1", kind: "Pod", metadata: { $namespace, $name, labels: { $app } },
    spec: { nodeName: $node, containers: [{ name: "answer", image: "answer" }] } }' | kubectl create -f - || return 1
  added=$(on "$1" pod add "$2" "$3" "$4") || { echo "$added"; return 1; }
  on "$1" pod start "$3" "$4" python3 /answer.py 8080
  jq '[.ips[].address | split("/")[0]] as $ips | { status: {
    phase: "Running", podIP: $ips[0], podIPs: ($ips | map({ ip: . })), conditions: [{ type: "Ready", status: "True" }] } }' <<<"$added" |
    kubectl patch pod "$4" -n "$3" --subresource status --type merge --patch-file /dev/stdin
}
delete_pod() { # node, network, namespace, name
  kubectl delete pod "$4" -n "$3" --wait=false && on "$1" pod del "$2" "$3" "$4"; }
pod_address() { # namespace, name, family
  kubectl get pod "$2" -n "$1" -o json | jq -r --arg dots "$([ "$3" = IPv4 ] && echo . || echo :)" '.status.podIPs[].ip | select(contains($dots))'; }

# EndpointSlices of a Service from the pods that it selects, as the controller of kube-controller-manager makes them.
endpoints() { # namespace, service
  { kubectl get service "$2" -n "$1" -o json; kubectl get pods -n "$1" -o json; } | jq -s '
    .[0] as $service | ($service.spec.selector | to_entries) as $wanted |
    [.[1].items[] | select(.metadata.labels as $has | all($wanted[]; $has[.key] == .value))] as $pods |
    { apiVersion: "v1", kind: "List", items: [{ type: "IPv4", mark: "." }, { type: "IPv6", mark: ":" } | . as $family | {
      apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: .type,
      metadata: { namespace: $service.metadata.namespace, name: "\($service.metadata.name)-\(.type | ascii_downcase)",
                  labels: { "kubernetes.io/service-name": $service.metadata.name } },
      ports: [$service.spec.ports[] | { name, protocol, port: .targetPort }],
      endpoints: [$pods[] | . as $pod | .status.podIPs[]?.ip | select(contains($family.mark)) | {
        addresses: [.], nodeName: $pod.spec.nodeName, conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: "Pod", namespace: $pod.metadata.namespace, name: $pod.metadata.name, uid: $pod.metadata.uid } }] }] }' |
    kubectl apply --validate=false -f -
}
