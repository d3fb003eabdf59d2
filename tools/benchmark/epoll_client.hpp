// The cheapest client anyone could write: one thread, epoll, kept-alive plain connections, one request under way on
// each, answers skimmed for status and length.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace dynabackup::bench {

struct load_result {
  std::size_t answered = 0;
  std::size_t bad = 0;  ///< not 200, or not what was expected in it
};

struct load {
  std::uint16_t port = 0;
  std::size_t requests = 0;
  std::size_t connections = 1;
  /// The bytes of request i, valid until the next call.
  std::function<std::string_view(std::size_t)> request;
  /// What every answer's body has to be; with no data() anything will do.
  std::string_view expected_body{};
};

/// std::system_error when the server cannot be reached or goes away.
load_result run(const load& what);

}  // namespace dynabackup::bench
