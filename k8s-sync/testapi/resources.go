package main

import (
	"context"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/names"
)

// What a resource has besides its object.
type trait uint8

const (
	namespaced trait = 1 << iota
	// status is a subresource: each of the two paths leaves the other's half alone.
	status
	// What whoever creates an object says of its status is dropped.
	statusFromNothing
)

type resource struct {
	group            schema.GroupVersion
	plural, singular string
	traits           trait
	object, list     runtime.Object
}

func (r resource) has(t trait) bool { return r.traits&t != 0 }
func (r resource) groupResource() schema.GroupResource {
	return r.group.WithResource(r.plural).GroupResource()
}
func (r resource) singularName() schema.GroupResource {
	return r.group.WithResource(r.singular).GroupResource()
}

var resources = []resource{
	{corev1.SchemeGroupVersion, "nodes", "node", status, &corev1.Node{}, &corev1.NodeList{}},
	{corev1.SchemeGroupVersion, "namespaces", "namespace", status | statusFromNothing, &corev1.Namespace{}, &corev1.NamespaceList{}},
	{corev1.SchemeGroupVersion, "pods", "pod", namespaced | status | statusFromNothing, &corev1.Pod{}, &corev1.PodList{}},
	{corev1.SchemeGroupVersion, "services", "service", namespaced | status | statusFromNothing, &corev1.Service{}, &corev1.ServiceList{}},
	{corev1.SchemeGroupVersion, "serviceaccounts", "serviceaccount", namespaced, &corev1.ServiceAccount{}, &corev1.ServiceAccountList{}},
	{corev1.SchemeGroupVersion, "secrets", "secret", namespaced, &corev1.Secret{}, &corev1.SecretList{}},
	{corev1.SchemeGroupVersion, "configmaps", "configmap", namespaced, &corev1.ConfigMap{}, &corev1.ConfigMapList{}},
	{corev1.SchemeGroupVersion, "events", "event", namespaced, &corev1.Event{}, &corev1.EventList{}},
	{eventsv1.SchemeGroupVersion, "events", "event", namespaced, &eventsv1.Event{}, &eventsv1.EventList{}},
	{discoveryv1.SchemeGroupVersion, "endpointslices", "endpointslice", namespaced, &discoveryv1.EndpointSlice{}, &discoveryv1.EndpointSliceList{}},
	{coordinationv1.SchemeGroupVersion, "leases", "lease", namespaced, &coordinationv1.Lease{}, &coordinationv1.LeaseList{}},
	{networkingv1.SchemeGroupVersion, "networkpolicies", "networkpolicy", namespaced, &networkingv1.NetworkPolicy{}, &networkingv1.NetworkPolicyList{}},
	{policyv1.SchemeGroupVersion, "poddisruptionbudgets", "poddisruptionbudget", namespaced | status | statusFromNothing, &policyv1.PodDisruptionBudget{}, &policyv1.PodDisruptionBudgetList{}},
	{appsv1.SchemeGroupVersion, "daemonsets", "daemonset", namespaced | status | statusFromNothing, &appsv1.DaemonSet{}, &appsv1.DaemonSetList{}},
	{appsv1.SchemeGroupVersion, "deployments", "deployment", namespaced | status | statusFromNothing, &appsv1.Deployment{}, &appsv1.DeploymentList{}},
	{rbacv1.SchemeGroupVersion, "clusterroles", "clusterrole", 0, &rbacv1.ClusterRole{}, &rbacv1.ClusterRoleList{}},
	{rbacv1.SchemeGroupVersion, "clusterrolebindings", "clusterrolebinding", 0, &rbacv1.ClusterRoleBinding{}, &rbacv1.ClusterRoleBindingList{}},
	{rbacv1.SchemeGroupVersion, "roles", "role", namespaced, &rbacv1.Role{}, &rbacv1.RoleList{}},
	{rbacv1.SchemeGroupVersion, "rolebindings", "rolebinding", namespaced, &rbacv1.RoleBinding{}, &rbacv1.RoleBindingList{}},
}

var addToScheme = []func(*runtime.Scheme) error{
	corev1.AddToScheme, eventsv1.AddToScheme, discoveryv1.AddToScheme, coordinationv1.AddToScheme, networkingv1.AddToScheme,
	policyv1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme,
}

// The rules of a resource's store: any object is taken as it is, without validation and without defaults.
type rules struct {
	runtime.ObjectTyper
	names.NameGenerator
	resource resource
	// The half of the object that an update leaves as it was.
	kept string
}

func (r rules) NamespaceScoped() bool                                  { return r.resource.has(namespaced) }
func (rules) AllowCreateOnUpdate() bool                                { return false }
func (rules) AllowUnconditionalUpdate() bool                           { return true }
func (rules) Canonicalize(runtime.Object)                              {}
func (rules) Validate(context.Context, runtime.Object) field.ErrorList { return nil }
func (rules) ValidateUpdate(context.Context, runtime.Object, runtime.Object) field.ErrorList {
	return nil
}
func (rules) WarningsOnCreate(context.Context, runtime.Object) []string                 { return nil }
func (rules) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string { return nil }

func (r rules) PrepareForCreate(_ context.Context, object runtime.Object) {
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	if r.resource.has(statusFromNothing) {
		half(object, "Status").SetZero()
	}
	mergeStringData(object)
}

func (r rules) PrepareForUpdate(_ context.Context, object, old runtime.Object) {
	if r.kept != "" {
		half(object, r.kept).Set(half(old, r.kept))
	}
	mergeStringData(object)
}

func half(object runtime.Object, name string) reflect.Value {
	return reflect.ValueOf(object).Elem().FieldByName(name)
}

func mergeStringData(object runtime.Object) {
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return
	}
	for key, value := range secret.StringData {
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[key] = []byte(value)
	}
	secret.StringData = nil
}

// What field selectors may name.
func attributes(object runtime.Object) (labels.Set, fields.Set, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return nil, nil, err
	}
	selectable := fields.Set{"metadata.name": accessor.GetName(), "metadata.namespace": accessor.GetNamespace()}
	if pod, ok := object.(*corev1.Pod); ok {
		selectable["spec.nodeName"] = pod.Spec.NodeName
		selectable["status.phase"] = string(pod.Status.Phase)
	}
	return accessor.GetLabels(), selectable, nil
}

// Discovery wants the singular name of every store.
type store struct {
	*genericregistry.Store
	singular string
}

func (s store) GetSingularName() string { return s.singular }

// What people write to kubectl.
func (s store) ShortNames() []string {
	return map[string][]string{
		"configmap": {"cm"}, "daemonset": {"ds"}, "deployment": {"deploy"}, "event": {"ev"}, "namespace": {"ns"}, "networkpolicy": {"netpol"},
		"node": {"no"}, "pod": {"po"}, "poddisruptionbudget": {"pdb"}, "service": {"svc"}, "serviceaccount": {"sa"},
	}[s.singular]
}

// Fewer verbs than the whole object has.
type statusStore struct {
	rest.Storage
	rest.Getter
	rest.Updater
}

func (s statusStore) New() runtime.Object { return s.Storage.New() }

func newStore(r resource, options generic.RESTOptionsGetter) (store, error) {
	rules := rules{scheme, names.SimpleNameGenerator, r, ""}
	if r.has(status) {
		rules.kept = "Status"
	}
	s := &genericregistry.Store{
		NewFunc:     func() runtime.Object { return r.object.DeepCopyObject() },
		NewListFunc: func() runtime.Object { return r.list.DeepCopyObject() },
		PredicateFunc: func(label labels.Selector, field fields.Selector) storage.SelectionPredicate {
			return storage.SelectionPredicate{Label: label, Field: field, GetAttrs: attributes}
		},
		DefaultQualifiedResource: r.groupResource(), SingularQualifiedResource: r.singularName(),
		CreateStrategy: rules, UpdateStrategy: rules, DeleteStrategy: rules,
		TableConvertor: rest.NewDefaultTableConvertor(r.groupResource()),
	}
	err := s.CompleteWithOptions(&generic.StoreOptions{RESTOptions: options, AttrFunc: attributes})
	return store{s, r.singular}, err
}

// The same store by its other half.
func (s store) status(r resource) statusStore {
	half := *s.Store
	half.UpdateStrategy = rules{scheme, names.SimpleNameGenerator, r, "Spec"}
	return statusStore{store{&half, s.singular}, &half, &half}
}
