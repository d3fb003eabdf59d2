#include "epoll_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace dynabackup::bench {
namespace {

constexpr std::size_t answer_room = 8192;
constexpr int most_events = 256;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

struct connection {
  int socket = -1;
  std::size_t have = 0;
  std::array<char, answer_room> in;
};

struct answer {
  bool whole = false;
  bool good = false;
};

answer skim(const connection& c, std::string_view expected_body) {
  constexpr std::string_view end_of_head = "\r\n\r\n", ok = "HTTP/1.1 200", length = "\r\nContent-Length: ";
  const std::string_view bytes(c.in.data(), c.have);
  const auto* end = static_cast<const char*>(memmem(bytes.data(), bytes.size(), end_of_head.data(), 4));
  if (end == nullptr) return {};
  const std::string_view head(bytes.data(), static_cast<std::size_t>(end - bytes.data()));
  std::size_t body_bytes = 0;
  if (const void* at = memmem(head.data(), head.size(), length.data(), length.size()))
    std::from_chars(static_cast<const char*>(at) + length.size(), end, body_bytes);
  const std::size_t whole = head.size() + end_of_head.size() + body_bytes;
  if (whole > answer_room) throw std::runtime_error("an answer is longer than any that is expected");
  if (bytes.size() < whole) return {};
  const std::string_view body = bytes.substr(whole - body_bytes);
  // Nothing else can follow: the next request is not sent yet.
  return {.whole = true, .good = head.starts_with(ok) && (expected_body.data() == nullptr || body == expected_body)};
}

class client {
 public:
  explicit client(const load& what) : what_(what), poll_(epoll_create1(0)), connections_(what.connections) {
    for (connection& c : connections_) connect(c);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() {
    for (const connection& c : connections_) close(c.socket);
    close(poll_);
  }

  load_result run() {
    for (connection& c : connections_) send_next(c);
    std::array<epoll_event, most_events> events;
    while (result_.answered < what_.requests) {
      const int ready = epoll_wait(poll_, events.data(), most_events, -1);
      if (ready < 0 && errno != EINTR) fail("epoll_wait");
      for (int i = 0; i < ready; ++i)
        take_answer(*static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    return result_;
  }

 private:
  void connect(connection& c) {
    c.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (c.socket < 0) fail("socket");
    const int yes = 1;
    setsockopt(c.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(what_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(c.socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
    epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {.ptr = &c}};
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, c.socket, &interest) != 0) fail("epoll_ctl");
  }

  /// The socket blocks in sending only: a server that takes whole requests empties it.
  void send_next(connection& c) {
    if (sent_ == what_.requests) return;
    const std::string_view bytes = what_.request(sent_++);
    if (send(c.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) fail("send");
  }

  void take_answer(connection& c) {
    const ssize_t count = recv(c.socket, c.in.data() + c.have, c.in.size() - c.have, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count == 0) throw std::runtime_error("the server closed a connection");
    if (count < 0) fail("recv");
    c.have += static_cast<std::size_t>(count);
    const answer got = skim(c, what_.expected_body);
    if (!got.whole) return;
    c.have = 0;
    ++result_.answered;
    if (!got.good) ++result_.bad;
    send_next(c);
  }

  const load& what_;
  int poll_;
  std::vector<connection> connections_;
  std::size_t sent_ = 0;
  load_result result_;
};

}  // namespace

load_result run(const load& what) { return client(what).run(); }

}  // namespace dynabackup::bench
