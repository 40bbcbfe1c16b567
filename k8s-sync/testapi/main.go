// The API server of the tests: Kubernetes' own machinery (k8s.io/apiserver and apiextensions-apiserver: custom resources with
// their schemas and CEL rules, server-side apply, watches and their bookmarks, 410) with an etcd of its own, and the built-in
// types that we need as they come, without validation and defaults. There is no controller, no admission and no RBAC: the
// audit log says who did what, for tests that compare it with what a Role grants.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const unixEtcd = "unix://localhost:1"

type flags struct {
	folder, audit string
	bind          net.IP
	port          int
	users         users
	temporary     bool
}

// Users by their tokens; the first one stands in the kubeconfig as its current context.
type users struct {
	byToken map[string]string
	ordered []clientcmdapi.AuthInfo
	names   []string
}

func (u *users) String() string { return strings.Join(u.names, " ") }

// "user=token"; a user's name may itself have a "=", a token not.
func (u *users) Set(text string) error {
	at := strings.LastIndex(text, "=")
	if at < 1 || at == len(text)-1 {
		return fmt.Errorf("%q is not user=token", text)
	}
	name, token := text[:at], text[at+1:]
	if u.byToken == nil {
		u.byToken = map[string]string{}
	}
	u.byToken[token] = name
	u.names = append(u.names, name)
	u.ordered = append(u.ordered, clientcmdapi.AuthInfo{Token: token})
	return nil
}

func (u *users) AuthenticateRequest(request *http.Request) (*authenticator.Response, bool, error) {
	token, bearer := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	name, known := u.byToken[token]
	if !bearer || !known {
		return nil, false, nil
	}
	groups := []string{user.AllAuthenticated}
	if strings.HasPrefix(name, "system:serviceaccount:") {
		groups = append(groups, "system:serviceaccounts")
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: name, Groups: groups}}, true, nil
}

func parse() flags {
	var f flags
	flag.StringVar(&f.folder, "dir", "", "folder for etcd's data, the certificate, and the kubeconfig that is written when all is ready")
	flag.StringVar(&f.audit, "audit", "", "file for the audit log, a line for each request; none where it is not set")
	flag.IntVar(&f.port, "port", 6443, "port of the API server")
	flag.TextVar(&f.bind, "bind", net.IPv4(127, 0, 0, 1), "address of the API server, which its certificate names")
	flag.Var(&f.users, "token", "user=token, as often as there are users; the first is the kubeconfig's current one")
	flag.BoolVar(&f.temporary, "temporary", false, "end with standard input, and remove the folder then: nothing is left of a test that died")
	flag.Parse()
	if f.folder == "" || len(f.users.names) == 0 {
		fail("usage: testapi -dir DIR -token user=token [-token ...] [-bind ADDRESS] [-port PORT] [-audit FILE]")
	}
	return f
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "testapi: "+format+"\n", arguments...)
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// Unix sockets in the working folder: no ports that others could have, and no interface that would have to be up.
func startEtcd() *exec.Cmd {
	program, err := os.Executable()
	must(err)
	const peer = "unix://localhost:2"
	etcd := exec.Command(filepath.Join(filepath.Dir(program), "etcd"), "--name", "only", "--data-dir", "etcd",
		"--unsafe-no-fsync", "--log-level", "error", "--heartbeat-interval", "10", "--election-timeout", "100",
		"--listen-client-urls", unixEtcd, "--advertise-client-urls", unixEtcd,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "only="+peer)
	etcd.Stdout, etcd.Stderr = os.Stderr, os.Stderr
	// However we end, etcd does too; the kernel watches the thread that started it, which init() keeps.
	etcd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(etcd.Start())
	return etcd
}

func init() { runtime.LockOSThread() }

func main() {
	f := parse()
	must(os.MkdirAll(f.folder, 0o700))
	must(os.Chdir(f.folder))
	_ = os.Remove("kubeconfig")
	ctx := genericapiserver.SetupSignalContext()
	etcd := startEtcd()
	if f.temporary {
		go endWithInput(etcd.Process)
	}
	server := newServer(f)
	server.AddPostStartHookOrDie("write-kubeconfig", func(hook genericapiserver.PostStartHookContext) error {
		go writeKubeconfigWhenReady(hook, f)
		return nil
	})
	err := server.PrepareRun().RunWithContext(ctx)
	_ = etcd.Process.Kill()
	_ = etcd.Wait()
	must(err)
}

func endWithInput(etcd *os.Process) {
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = etcd.Kill()
	folder, err := os.Getwd()
	must(err)
	must(os.RemoveAll(folder))
	os.Exit(0)
}

// The file is the sign that requests are answered.
func writeKubeconfigWhenReady(hook genericapiserver.PostStartHookContext, f flags) {
	client := discovery.NewDiscoveryClientForConfigOrDie(hook.LoopbackClientConfig).RESTClient()
	for client.Get().AbsPath("/readyz").Do(hook).Error() != nil {
		time.Sleep(50 * time.Millisecond)
	}
	certificate, err := os.ReadFile("apiserver.crt")
	must(err)
	config := clientcmdapi.NewConfig()
	address := net.JoinHostPort(f.bind.String(), fmt.Sprint(f.port))
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: "https://" + address, CertificateAuthorityData: certificate}
	for i, name := range f.users.names {
		config.AuthInfos[name] = &f.users.ordered[i]
		config.Contexts[name] = &clientcmdapi.Context{Cluster: "test", AuthInfo: name}
	}
	config.CurrentContext = f.users.names[0]
	must(clientcmd.WriteToFile(*config, "kubeconfig"))
}
