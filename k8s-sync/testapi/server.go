package main

import (
	"fmt"
	"net"
	"net/url"
	"os"

	noopoteltrace "go.opentelemetry.io/otel/trace/noop"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver"
	crdoptions "k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	generatedopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	auditapi "k8s.io/apiserver/pkg/apis/audit"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/pkg/audit/policy"
	authenticatorunion "k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/webhook"
	auditlog "k8s.io/apiserver/plugin/pkg/audit/log"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

var (
	scheme = runtime.NewScheme()
	codecs = serializer.NewCodecFactory(scheme)
)

// The stored form of every type is the one on the wire: no second set of Go types to convert to.
func init() {
	for _, add := range addToScheme {
		must(add(scheme))
	}
	for _, r := range resources {
		scheme.AddKnownTypes(schema.GroupVersion{Group: r.group.Group, Version: runtime.APIVersionInternal}, r.object, r.list)
		must(scheme.SetVersionPriority(r.group))
	}
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	any := func(label, value string) (string, string, error) { return label, value, nil }
	must(scheme.AddFieldLabelConversionFunc(corev1.SchemeGroupVersion.WithKind("Pod"), any))
}

func newServer(f flags) *genericapiserver.GenericAPIServer {
	options := recommended(f)
	config := genericConfig(f, options)
	extensions := &apiserver.Config{GenericConfig: config, ExtraConfig: apiserver.ExtraConfig{
		CRDRESTOptionsGetter: crdoptions.NewCRDRESTOptionsGetter(*options.Etcd, config.ResourceTransformers, config.StorageObjectCountTracker),
		ServiceResolver:      noServices{},
		AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, config.LoopbackClientConfig, noopoteltrace.NewTracerProvider()),
	}}
	completed := extensions.Complete()
	completed.GenericConfig.EnableDiscovery = true
	server, err := completed.New(genericapiserver.NewEmptyDelegate())
	must(err)
	install(server.GenericAPIServer, config, *options.Etcd)
	return server.GenericAPIServer
}

func recommended(f flags) *genericoptions.RecommendedOptions {
	options := genericoptions.NewRecommendedOptions("/registry/sixedge-test", apiserver.Codecs.LegacyCodec(apiextensionsv1.SchemeGroupVersion))
	options.Authentication, options.Authorization, options.CoreAPI, options.Admission = nil, nil, nil, nil
	options.Features.EnablePriorityAndFairness = false
	options.Etcd.StorageConfig.Transport.ServerList = []string{unixEtcd}
	options.SecureServing.BindAddress, options.SecureServing.BindPort = f.bind, f.port
	options.SecureServing.ServerCert.CertDirectory = "."
	must(options.SecureServing.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{f.bind}))
	return options
}

func genericConfig(f flags, options *genericoptions.RecommendedOptions) *genericapiserver.RecommendedConfig {
	config := genericapiserver.NewRecommendedConfig(apiserver.Codecs)
	run := genericoptions.NewServerRunOptions()
	must(run.Complete())
	must(run.ApplyTo(&config.Config))
	must(options.ApplyTo(config))
	must(genericoptions.NewAPIEnablementOptions().ApplyTo(&config.Config, apiserver.DefaultAPIResourceConfigSource(), apiserver.Scheme))
	loopback := users{byToken: map[string]string{config.LoopbackClientConfig.BearerToken: "system:apiserver"}}
	config.Authentication.Authenticator = authenticatorunion.New(&loopback, &f.users)
	config.Authorization.Authorizer = authorizerfactory.NewAlwaysAllowAuthorizer()
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, openapinamer.NewDefinitionNamer(apiserver.Scheme, scheme))
	config.OpenAPIConfig = nil
	if f.audit != "" {
		audit(config, f.audit)
	}
	return config
}

// A line for each request, when it is answered; for a watch when it begins.
func audit(config *genericapiserver.RecommendedConfig, path string) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(err)
	begun, answered := auditapi.StageResponseStarted, auditapi.StageResponseComplete
	received := auditapi.StageRequestReceived
	config.AuditBackend = auditlog.NewBackend(file, auditlog.FormatJson, auditv1.SchemeGroupVersion)
	config.AuditPolicyRuleEvaluator = policy.NewPolicyRuleEvaluator(&auditapi.Policy{Rules: []auditapi.PolicyRule{
		{Level: auditapi.LevelNone, Users: []string{"system:apiserver"}},
		{Level: auditapi.LevelMetadata, Verbs: []string{"watch"}, OmitStages: []auditapi.Stage{received, answered}},
		{Level: auditapi.LevelMetadata, OmitStages: []auditapi.Stage{received, begun}},
	}})
}

func install(server *genericapiserver.GenericAPIServer, config *genericapiserver.RecommendedConfig, etcd genericoptions.EtcdOptions) {
	versions := map[schema.GroupVersion]map[string]rest.Storage{}
	for _, r := range resources {
		if versions[r.group] == nil {
			versions[r.group] = map[string]rest.Storage{}
		}
	}
	var groups []schema.GroupVersion
	for group := range versions {
		groups = append(groups, group)
	}
	etcd.StorageConfig.Codec = codecs.LegacyCodec(groups...)
	getter := etcd.CreateRESTOptionsGetter(&genericoptions.SimpleStorageFactory{StorageConfig: etcd.StorageConfig}, config.ResourceTransformers)
	for _, r := range resources {
		whole, err := newStore(r, getter)
		must(err)
		versions[r.group][r.plural] = whole
		if r.has(status) {
			versions[r.group][r.plural+"/status"] = whole.status(r)
		}
	}
	for group, stores := range versions {
		info := genericapiserver.NewDefaultAPIGroupInfo(group.Group, scheme, metav1.ParameterCodec, codecs)
		info.VersionedResourcesStorageMap[group.Version] = stores
		if group.Group == "" {
			must(server.InstallLegacyAPIGroup(genericapiserver.DefaultLegacyAPIPrefix, &info))
		} else {
			must(server.InstallAPIGroup(&info))
		}
	}
}

// The built-in types as objects that may hold anything: their real schemas come with kube-apiserver only.
func definitions(reference common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	all := generatedopenapi.GetOpenAPIDefinitions(reference)
	for _, r := range resources {
		for _, object := range []runtime.Object{r.object, r.list} {
			named, ok := object.(interface{ OpenAPIModelName() string })
			if !ok {
				fail("%T has no OpenAPI name", object)
			}
			all[named.OpenAPIModelName()] = common.OpenAPIDefinition{Schema: anything()}
		}
	}
	return all
}

func anything() spec.Schema {
	schema := spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"object"}}}
	schema.AddExtension("x-kubernetes-preserve-unknown-fields", true)
	return schema
}

// There are no webhooks to be found by a Service.
type noServices struct{}

func (noServices) ResolveEndpoint(namespace, name string, port int32) (*url.URL, error) {
	return nil, fmt.Errorf("service %s/%s:%d: the API server of the tests calls none", namespace, name, port)
}
