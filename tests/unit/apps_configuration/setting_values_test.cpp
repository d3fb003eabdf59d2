#include "apps/configuration/setting_values.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace dynabackup::apps {
namespace {

using enum setting_kind;

struct row {
  setting_kind kind;
  std::string text;
  std::string problem;  ///< empty = none
};

const std::string not_a_power =
    " is not a whole number; allowed are the powers of two from 1 to 1024, such as 16, 32 and 64";

TEST_CASE("parallelism: a power of two from 1 to 1024, else the nearest are named") {
  const std::vector<row> rows{
      {parallelism, "1", ""},
      {parallelism, "2", ""},
      {parallelism, "32", ""},
      {parallelism, "1024", ""},
      {parallelism, "0032", ""},
      {parallelism, "0", "'0' is less than 1; the nearest allowed value is 1"},
      {parallelism, "-1", "'-1' is less than 1; the nearest allowed value is 1"},
      {parallelism, "-99999999999999999999999",
       "'-99999999999999999999999' is less than 1; the nearest allowed value is 1"},
      {parallelism, "3", "'3' is not a power of two; the nearest allowed values are 2 and 4"},
      {parallelism, "33", "'33' is not a power of two; the nearest allowed values are 32 and 64"},
      {parallelism, "1000", "'1000' is not a power of two; the nearest allowed values are 512 and 1024"},
      {parallelism, "1025", "'1025' is more than 1024; the nearest allowed value is 1024"},
      {parallelism, "2048", "'2048' is more than 1024; the nearest allowed value is 1024"},
      {parallelism, "1099511627776", "'1099511627776' is more than 1024; the nearest allowed value is 1024"},
      {parallelism, "18446744073709551616",
       "'18446744073709551616' is more than 1024; the nearest allowed value is 1024"},
      {parallelism, "x", "'x'" + not_a_power},
      {parallelism, "4x", "'4x'" + not_a_power},
      {parallelism, "3.5", "'3.5'" + not_a_power},
      {parallelism, " 4", "' 4'" + not_a_power},
      {parallelism, "+4", "'+4'" + not_a_power},
      {parallelism, "-", "'-'" + not_a_power},
      {parallelism, "\x1b[2J", "'?[2J'" + not_a_power},
      {parallelism, "", "must not be empty"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    CHECK(problem_with(r.kind, r.text).value_or("") == r.problem);
  }
}

TEST_CASE("every kind knows what it takes") {
  const std::vector<row> rows{
      {flag, "true", ""},
      {flag, "False", ""},
      {flag, "1", ""},
      {flag, "0", ""},
      {flag, "yes", "'yes' is neither true nor false"},
      {flag, "", "must not be empty"},
      {port, "1", ""},
      {port, "65535", ""},
      {port, "0", "'0' is not a whole number from 1 to 65535"},
      {port, "65536", "'65536' is not a whole number from 1 to 65535"},
      {segments, "0", "'0' is not a whole number from 1 to 4096"},
      {attempts, "101", "'101' is not a whole number from 1 to 100"},
      {host, "localhost", ""},
      {host, "10.0.0.1", ""},
      {host, "fe80::1", ""},
      {host, "localhost:8000",
       "'localhost:8000' is not a host name or address; port and TLS are settings of their own"},
      {host, "http://h", "'http://h' is not a host name or address; port and TLS are settings of their own"},
      {host, "me:secret@h", "is a host name or address without user and password"},
      {url, "http://localhost:8000", ""},
      {url, "HTTPS://s3.example/", ""},
      {url, "localhost:8000", "must start with http:// or https://"},
      {url, "ftp://x", "must start with http:// or https://"},
      {url, "http://", "names no host"},
      {url, "http:///x", "names no host"},
      {url, "http://a b", "is not a URL"},
      {url, "http://me:secret@h", "must not hold a user or password"},
      {bucket, "my.bucket-1", ""},
      {bucket, "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine", ""},
      {bucket, "s3://b",
       "'s3://b' is not the name of a bucket; the part behind it is the prefix, a setting of its own"},
      {bucket, "b c", "'b c' is not the name of a bucket"},
      {bucket, "", "must not be empty"},
      {prefix, "", ""},
      {prefix, "a/b {table}", ""},
      {prefix, "s3://b/x", "a prefix is what follows the bucket, which is a setting of its own"},
      {prefix, "a\nb", "a prefix holds no control characters"},
      {prefix, std::string(513, 'p'), "a prefix has at most 512 bytes, this one has 513"},
      {encryption, "", ""},
      {encryption, "AES256", ""},
      {encryption, "aws:kms:dsse", ""},
      {encryption, "aes", "'aes' is none of AES256, aws:kms and aws:kms:dsse"},
      {text, "eu-central-1", ""},
      {text, " x", "' x' cannot be a value here"},
      {text, "a\nb", "'a?b' cannot be a value here"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    CHECK(problem_with(r.kind, r.text).value_or("") == r.problem);
  }
}

TEST_CASE("memory is given in bytes or with a unit") {
  struct size_row {
    std::string text;
    std::uint64_t expected;
  };
  const std::vector<size_row> rows{
      {"8388608", 8u << 20},  {"33554432", 32u << 20}, {"32MiB", 32u << 20},
      {"32M", 32u << 20},     {"32m", 32u << 20},      {"32 MiB", 32u << 20},
      {"64MB", 64'000'000},   {"1G", 1u << 30},        {"1gib", 1u << 30},
      {"2GB", 2'000'000'000}, {"8192K", 8u << 20},     {"8192KiB", 8u << 20},
      {"9000kB", 9'000'000},  {"9000000B", 9'000'000}, {"64GiB", std::uint64_t{64} << 30},
  };
  for (const size_row& r : rows) {
    CAPTURE(r.text);
    CHECK(problem_with(bytes, r.text).value_or("") == "");
    CHECK(bytes_value(r.text) == r.expected);
  }
  for (const std::string bad : {"x", "32X", "32MiBs", "-1", "1.5G", "MiB", "32 Mi B", "0x20M"}) {
    CAPTURE(bad);
    CHECK(problem_with(bytes, bad) == "'" + bad + "' is not a size; write it as 32MiB, 64M or in bytes");
  }
  for (const std::string bad :
       {"0", "8388607", "7M", "65G", "68719476737", "99999999999999999999G", "18014398509481985K"}) {
    CAPTURE(bad);
    CHECK(problem_with(bytes, bad) == "'" + bad + "' is outside 8MiB to 64GiB");
  }
}

}  // namespace
}  // namespace dynabackup::apps
