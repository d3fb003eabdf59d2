#include "http/tls_trust.hpp"

#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "unit/http/certificates.hpp"

using namespace dynabackup;
using fakes::temporary_file;

namespace {

// OpenSSL's own way to its authorities, led nowhere for as long as a test needs it.
class nothing_named {
 public:
  nothing_named() : before_(std::getenv("SSL_CERT_FILE") ? std::getenv("SSL_CERT_FILE") : "") {
    ::setenv("SSL_CERT_FILE", "/nonexistent/named.pem", 1);
  }
  ~nothing_named() {
    if (before_.empty()) {
      ::unsetenv("SSL_CERT_FILE");
    } else {
      ::setenv("SSL_CERT_FILE", before_.c_str(), 1);
    }
  }
  nothing_named(const nothing_named&) = delete;
  nothing_named& operator=(const nothing_named&) = delete;

 private:
  std::string before_;
};

int authorities(const std::string& ca_bundle, http::system_trust system) {
  http::tls_trust trust(ca_bundle, std::move(system));
  return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(trust.context().native_handle())));
}

}  // namespace

TEST_CASE_FIXTURE(
    nothing_named,
    "where OpenSSL's own folder does not exist, the first of the usual bundles that can be read is trusted") {
  const temporary_file rubbish("no certificate here");
  const temporary_file first(fakes::authority("first").pem() + fakes::authority("and another").pem());
  const temporary_file second(fakes::authority("second").pem());
  const http::system_trust elsewhere{.folder = "/nonexistent/certs",
                                     .bundles = {"/nonexistent/a.pem", rubbish.path(), first.path(), second.path()}};
  CHECK(authorities("", elsewhere) == 2);
  CHECK(authorities("", {.folder = "/nonexistent/certs", .bundles = {"/nonexistent/a.pem"}}) == 0);
}

TEST_CASE_FIXTURE(nothing_named,
                  "the usual bundles are not looked at where OpenSSL's own folder exists or a bundle was named") {
  const temporary_file named(fakes::authority("named").pem());
  const temporary_file usual(fakes::authority("usual").pem() + fakes::authority("and another").pem());
  CHECK(authorities("", {.folder = std::filesystem::temp_directory_path(), .bundles = {usual.path()}}) == 0);
  CHECK(authorities(named.path(), {.folder = "/nonexistent/certs", .bundles = {usual.path()}}) == 1);
}

TEST_CASE("the bundle of Amazon Linux is among the usual ones") {
  const auto bundles = http::system_trust::usual().bundles;
  CHECK(std::find(bundles.begin(), bundles.end(), "/etc/pki/tls/certs/ca-bundle.crt") != bundles.end());
}

TEST_CASE_FIXTURE(nothing_named, "a bundle named by SSL_CERT_FILE keeps the usual ones out") {
  const temporary_file named(fakes::authority("named").pem());
  const temporary_file usual(fakes::authority("usual").pem() + fakes::authority("and another").pem());
  ::setenv("SSL_CERT_FILE", named.path().c_str(), 1);
  CHECK(authorities("", {.folder = "/nonexistent/certs", .bundles = {usual.path()}}) == 1);
}
