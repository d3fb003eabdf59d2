// put-load: how many PutObject a second a server takes. One thread, epoll, kept-alive connections, requests as the
// backfill sends them (metadata, Content-MD5, If-None-Match) but for a signature that nobody checks.
//   put-load PORT BUCKET COUNT [CONNECTIONS] [BODY-BYTES]
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "crypto/sha256.hpp"

namespace {

constexpr std::size_t key_digits = 64;

struct load {
  std::uint16_t port;
  std::string bucket;
  std::size_t count;
  std::string body;
  std::string body_md5 = dynabackup::crypto::md5_base64(body);
  std::string body_md5_hex = dynabackup::crypto::md5_hex(body);
  std::string body_sha256 = dynabackup::crypto::sha256_hex(body);
  std::size_t sent = 0;
  std::size_t answered = 0;
  std::size_t refused = 0;

  [[nodiscard]] std::size_t key_at() const { return std::string_view("PUT //backup/").size() + bucket.size(); }
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// The request with the digits of its key still to be written at `key_at`.
std::string blank_request(const load& l) {
  return fmt::format(
      "PUT /{}/backup/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\nContent-MD5: {}\r\n"
      "Content-Type: application/json\r\nx-amz-meta-md5: {}\r\nx-amz-meta-run: 2026-11-22T11-45-03Z-0123abcd\r\n"
      "x-amz-meta-source: backfill\r\nIf-None-Match: *\r\nx-amz-date: 20261122T114503Z\r\nx-amz-content-sha256: {}\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/s3/aws4_request, SignedHeaders="
      "content-md5;content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-meta-md5;x-amz-meta-run;"
      "x-amz-meta-source, Signature={}\r\n\r\n{}",
      l.bucket, std::string(key_digits, '0'), l.port, l.body.size(), l.body_md5, l.body_md5_hex, l.body_sha256,
      l.body_sha256, l.body);
}

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

void send_next(load& l, int socket, std::string& request) {
  write_key(request.data() + l.key_at(), l.sent++);
  if (send(socket, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) fail("send");
}

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
  return socket;
}

void run(load& l, std::size_t connections) {
  const int poll = epoll_create1(0);
  std::string request = blank_request(l);
  for (std::size_t i = 0; i < connections && l.sent < l.count; ++i) {
    epoll_event interest{.events = EPOLLIN, .data = {.fd = connect_to(l.port)}};
    epoll_ctl(poll, EPOLL_CTL_ADD, interest.data.fd, &interest);
    send_next(l, interest.data.fd, request);
  }
  std::vector<epoll_event> events(connections);
  std::vector<char> answer(4096);
  while (l.answered < l.count) {
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t count = recv(socket, answer.data(), answer.size(), 0);
      if (count <= 0) fail("recv");
      // An answer to a PUT is one small segment on loopback.
      if (count < 12 || std::memcmp(answer.data(), "HTTP/1.1 200", 12) != 0) ++l.refused;
      ++l.answered;
      if (l.sent < l.count) send_next(l, socket, request);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  const std::size_t body_bytes = count > 5 ? std::stoul(arguments[5]) : 440;
  load l{.port = static_cast<std::uint16_t>(std::stoul(arguments[1])),
         .bucket = arguments[2],
         .count = std::stoul(arguments[3]),
         .body = std::string(body_bytes, 'x')};
  const auto start = std::chrono::steady_clock::now();
  run(l, count > 4 ? std::stoul(arguments[4]) : 32);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{} PUTs in {:.2f} s: {:.0f}/s, {} refused\n", l.answered, took.count(),
             static_cast<double>(l.answered) / took.count(), l.refused);
  return l.refused == 0 ? 0 : 1;
}
