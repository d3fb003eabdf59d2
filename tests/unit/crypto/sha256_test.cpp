#include "crypto/sha256.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hmac_key.hpp"
#include "fakes/test_data.hpp"
#include "text/codecs.hpp"

using namespace dynabackup;

namespace {

std::string hmac_hex(std::string_view key, std::string_view message) {
  return text::hex(crypto::as_bytes(crypto::hmac_sha256(key, message)));
}

void check_table(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  const simdjson::dom::element table = parser.load(file.string());
  std::size_t rows = 0;
  for (const simdjson::dom::element row : table["cases"].get_array()) {
    const std::string bytes = text::unbase64(std::string_view(row["base64_input"])).value();
    CAPTURE(std::string(std::string_view(row["name"])));
    CHECK(text::base64(crypto::as_bytes(crypto::sha256(bytes))) == std::string_view(row["x-amz-checksum-sha256"]));
    CHECK(crypto::md5_base64(bytes) == std::string_view(row["Content-MD5"]));
    ++rows;
  }
  REQUIRE(rows > 0);
}

}  // namespace

TEST_CASE("SHA-256 and MD5 agree with every row of the checksum table") {
  check_table(fakes::own_data("checksums.json"));
  if (const auto more = fakes::public_data("checksums.json")) check_table(*more);
}

TEST_CASE("SHA-256 has the examples of FIPS 180-4") {
  CHECK(crypto::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(crypto::sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(crypto::sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("HMAC-SHA-256 has the examples of RFC 4231") {
  CHECK(hmac_hex(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_hex(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hmac_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac_hex("", "") == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("a key made ready signs any number of messages as HMAC-SHA-256 does") {
  const crypto::digest key = crypto::sha256("a key");
  const crypto::hmac_key ready = key;
  for (const std::size_t length : {0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000}) {
    CAPTURE(length);
    const std::string message(length, 'm');
    CHECK(ready.sign(message) == crypto::hmac_sha256(crypto::as_bytes(key), message));
  }
  CHECK(ready == crypto::hmac_key(key));
  CHECK_FALSE(ready == crypto::hmac_key(crypto::sha256("another key")));
}

TEST_CASE("MD5 has the examples of RFC 1321") {
  CHECK(crypto::md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(crypto::md5_hex("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST_CASE("SHA-256 of pieces is SHA-256 of the whole, also after a move") {
  const std::string bytes(1000, 'x');
  for (const std::size_t piece : {1, 7, 63, 64, 65, 999}) {
    crypto::sha256_stream stream;
    crypto::sha256_stream taken = std::move(stream);
    for (std::size_t i = 0; i < bytes.size(); i += piece) taken.update(std::string_view(bytes).substr(i, piece));
    CHECK(taken.finish_hex() == crypto::sha256_hex(bytes));
  }
  CHECK(crypto::sha256_stream().finish_hex() == crypto::sha256_hex(""));
}
