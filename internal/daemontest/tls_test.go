package daemontest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// newCertificate writes a certificate for this machine, and its key, into dir.
func newCertificate(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// TestANetworkIsServedByTLSAndTokens takes the settings of the policy, has the daemon
// listen on all interfaces, and renews the certificate and the tokens while it serves.
func TestANetworkIsServedByTLSAndTokens(t *testing.T) {
	token := func(secret string) string {
		return fmt.Sprintf("[[server.tokens]]\nname = \"ci\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte(secret)))
	}
	const settings = "[server.listen]\ntcp = \"0.0.0.0:0\"\ncert = \"cert.pem\"\nkey = \"key.pem\"\n"
	dir := newDir(t, settings+token("first"))
	newCertificate(t, dir, 1)
	d := start(t, dir)
	_, port, err := net.SplitHostPort(d.address())
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + port
	serial := func() int64 {
		t.Helper()
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	call := func(secret string) error {
		t.Helper()
		config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test made the certificate
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+secret)
		res, err := pb.NewSandboxClient(conn).Run(ctx, &pb.ExecuteRequest{Language: "python", Code: "print(1)"})
		if err == nil && res.GetResult().GetStdout() != "1\n" {
			t.Errorf("got %v", res)
		}
		return err
	}
	if err := call("first"); err != nil {
		t.Error(err)
	}
	if err := call("second"); status.Code(err) != codes.Unauthenticated {
		t.Errorf("another secret: %v", err)
	}
	if conn, err := net.Dial("tcp", address); err != nil {
		t.Error(err)
	} else {
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answer := make([]byte, 100)
		n, _ := conn.Read(answer)
		if strings.Contains(string(answer[:n]), "200 OK") {
			t.Errorf("plain text is answered: %s", answer[:n])
		}
		_ = conn.Close()
	}
	newCertificate(t, dir, 2)
	write(t, filepath.Join(dir, "sandbox.toml"), settings+token("second"))
	d.signal(syscall.SIGHUP)
	d.logged("msg=reloaded")
	d.wait("the certificate is the new one", func() bool { return serial() == 2 })
	if err := call("second"); err != nil {
		t.Error(err)
	}
	if err := call("first"); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a secret that was taken back: %v", err)
	}
	write(t, filepath.Join(dir, "cert.pem"), "damaged")
	d.signal(syscall.SIGHUP)
	d.logged("the certificate stays as it was")
	if serial() != 2 {
		t.Error("a damaged certificate is used")
	}
	d.end()
}
