// Certificates made on the spot: an authority and what it signs, so that no key is stored and none expires.
#pragma once
#include <boost/asio/ssl/context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string>
#include <unistd.h>

namespace dynabackup::fakes {

struct credentials_pem {
  std::string certificate;
  std::string key;
};

class authority {
 public:
  explicit authority(const std::string& name) : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    certificate_ = make(name, key_.get(), -1, 1, "critical,CA:TRUE", "");
  }
  /// A server certificate; `names` in OpenSSL's words, such as "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] credentials_pem sign(const std::string& names, int from_days = -1, int to_days = 1) const {
    const pkey key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const cert certificate = make("server", key.get(), from_days, to_days, "CA:FALSE", names);
    credentials_pem pem;
    pem.certificate = text([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); });
    pem.key = text([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return pem;
  }
  [[nodiscard]] std::string pem() const {
    return text([&](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); });
  }

 private:
  using pkey = std::shared_ptr<EVP_PKEY>;
  using cert = std::shared_ptr<X509>;

  template <class Write>
  static std::string text(Write write) {
    BIO* const out = BIO_new(BIO_s_mem());
    write(out);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string result(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return result;
  }
  static void extend(X509* subject, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, subject, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(subject, extension, -1);
    X509_EXTENSION_free(extension);
  }
  [[nodiscard]] cert make(const std::string& name, EVP_PKEY* key, int from, int to, const std::string& constraints,
                          const std::string& names) const {
    cert made(X509_new(), X509_free);
    X509* const c = made.get();
    static long serial = 1;
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c), 86'400L * from);
    X509_gmtime_adj(X509_getm_notAfter(c), 86'400L * to);
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* const issuer = certificate_ ? certificate_.get() : c;
    X509_set_issuer_name(c, X509_get_subject_name(issuer));
    extend(c, issuer, NID_basic_constraints, constraints);
    if (!names.empty()) extend(c, issuer, NID_subject_alt_name, names);
    X509_sign(c, key_.get(), EVP_sha256());
    return made;
  }

  pkey key_;
  cert certificate_;
};

/// A file for as long as the test needs it.
class temporary_file {
 public:
  explicit temporary_file(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "dynabackup-test-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    if (fd >= 0) ::close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~temporary_file() { std::filesystem::remove(path_); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::string path_;
};

inline std::unique_ptr<boost::asio::ssl::context> server_context(const credentials_pem& pem) {
  auto context = std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  context->use_certificate_chain(boost::asio::buffer(pem.certificate));
  context->use_private_key(boost::asio::buffer(pem.key), boost::asio::ssl::context::pem);
  return context;
}

}  // namespace dynabackup::fakes
