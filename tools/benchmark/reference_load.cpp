// The reference loads: what a request costs at the least.
//   reference-load put|put-unsigned|get|batch PORT BUCKET-OR-TABLE REQUESTS CONNECTIONS BODY-BYTES
// `put-unsigned` sends the same bytes again and again, as wrk does. `get` reads what `put` of as many requests stored.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "epoll_client.hpp"
#include "fakes/aws/synthetic_table.hpp"
#include "prebuilt_request.hpp"

namespace dynabackup::bench {
namespace {

constexpr std::size_t key_digits = 64;
constexpr std::size_t batch_items = 25;
constexpr std::string_view id_prefix = "\"item-";
constexpr std::size_t id_digits = 20;

/// A key like those of the backfill: 64 hexadecimal digits in no order.
void write_key(char* out, std::size_t i) {
  std::uint64_t x = i + 1;
  for (std::size_t part = 0; part < key_digits; part += 16) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    x ^= x >> 31;
    for (int shift = 60; shift >= 0; shift -= 4) *out++ = "0123456789abcdef"[(x >> shift) & 15];
  }
}

void write_id(char* out, std::size_t value) {
  for (char* at = out + id_digits; at != out; value /= 10) *--at = static_cast<char>('0' + value % 10);
}

prebuilt_request object_request(std::string_view method, const load& what, std::string_view bucket, std::string body) {
  return prebuilt_request({.method = std::string(method),
                           .target = fmt::format("/{}/{}", bucket, std::string(key_digits, '0')),
                           .host = fmt::format("127.0.0.1:{}", what.port),
                           .service = "s3",
                           .operation = "",
                           .body = std::move(body)});
}

load_result run_objects(load what, std::string_view method, std::string_view bucket, std::size_t body_bytes) {
  prebuilt_request request = object_request(method, what, bucket, std::string(body_bytes, 'x'));
  char* const key = request.target() + bucket.size() + 2;
  what.request = [&request, key](std::size_t i) {
    write_key(key, i);
    request.sign();
    return request.bytes();
  };
  return run(what);
}

load_result run_unsigned(load what, std::string_view bucket, std::size_t body_bytes) {
  const prebuilt_request request = object_request("PUT", what, bucket, std::string(body_bytes, 'x'));
  what.request = [&request](std::size_t) { return request.bytes(); };
  return run(what);
}

load_result run_batches(load what, std::string_view table, std::size_t item_bytes) {
  const fakes::synthetic_items items(item_bytes);
  std::string body = fmt::format(R"({{"RequestItems":{{"{}":[)", table);
  std::vector<std::size_t> ids;
  for (std::size_t i = 0; i < batch_items; ++i) {
    body += i == 0 ? R"({"PutRequest":{"Item":)" : R"(,{"PutRequest":{"Item":)";
    const std::size_t item = body.size();
    items.append_canonical(body, i);
    ids.push_back(body.find(id_prefix, item) + id_prefix.size());
    body += "}}";
  }
  body += "]}}";
  prebuilt_request request({.method = "POST",
                            .target = "/",
                            .host = fmt::format("127.0.0.1:{}", what.port),
                            .service = "dynamodb",
                            .operation = "DynamoDB_20120810.BatchWriteItem",
                            .body = std::move(body)});
  what.expected_body = R"({"UnprocessedItems":{}})";
  what.request = [&request, &ids](std::size_t i) {
    for (std::size_t k = 0; k < batch_items; ++k) write_id(request.body() + ids[k], i * batch_items + k);
    request.sign();
    return request.bytes();
  };
  return run(what);
}

load_result run_kind(const std::vector<std::string>& arguments) {
  const std::string& kind = arguments[0];
  const std::string& where = arguments[2];
  load what;
  what.port = static_cast<std::uint16_t>(std::stoul(arguments[1]));
  what.requests = std::stoul(arguments[3]);
  what.connections = std::stoul(arguments[4]);
  const std::size_t body_bytes = std::stoul(arguments[5]);
  if (kind == "put") return run_objects(what, "PUT", where, body_bytes);
  if (kind == "put-unsigned") return run_unsigned(what, where, body_bytes);
  if (kind == "get") return run_objects(what, "GET", where, 0);
  if (kind == "batch") return run_batches(what, where, body_bytes);
  throw std::invalid_argument("no such load: " + kind);
}

}  // namespace
}  // namespace dynabackup::bench

int main(int count, char** arguments) {
  if (count != 7) {
    fmt::print(stderr,
               "usage: reference-load put|put-unsigned|get|batch PORT BUCKET-OR-TABLE REQUESTS CONNECTIONS "
               "BODY-BYTES\n");
    return 2;
  }
  try {
    const auto done = dynabackup::bench::run_kind({arguments + 1, arguments + count});
    fmt::print("{{\"requests\":{},\"bad\":{}}}\n", done.answered, done.bad);
    return done.bad == 0 ? 0 : 1;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "reference-load: {}\n", problem.what());
    return 1;
  }
}
