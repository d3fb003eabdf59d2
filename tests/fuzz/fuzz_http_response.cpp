// An answer in pieces whose sizes the input chooses: the reader must end, stay within its limits and never differ
// between one piece and many.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/error.hpp"
#include "http/response_reader.hpp"

namespace {

using dynabackup::response;
using dynabackup::http::response_reader;

constexpr std::size_t header_bytes = 2'000;
constexpr std::size_t body_bytes = 20'000;

// The body and the status, or nothing when the answer was refused.
std::optional<std::string> read(std::string_view wire, std::string_view sizes, bool head_request) {
  response_reader reader("http://fuzz:80");
  reader.begin({header_bytes, body_bytes, head_request});
  std::size_t turn = 0;
  try {
    while (reader.now() != response_reader::state::done) {
      if (reader.now() == response_reader::state::held) {
        if (reader.body_cost() > body_bytes + response::body_padding) std::abort();
        reader.admit({});
        continue;
      }
      if (wire.empty()) {
        reader.closed();
        continue;
      }
      const auto room = reader.room();
      if (room.empty()) std::abort();
      const std::size_t piece =
          sizes.empty() ? wire.size() : 1 + static_cast<unsigned char>(sizes[turn++ % sizes.size()]);
      const std::size_t n = std::min({room.size(), wire.size(), piece});
      std::copy_n(wire.data(), n, room.data());
      wire.remove_prefix(n);
      reader.received(n);
    }
  } catch (const dynabackup::transport_error&) {
    return std::nullopt;
  }
  const response answer = reader.take();
  if (answer.body.size() > body_bytes) std::abort();
  if (answer.body.capacity() < answer.body.size() + response::body_padding) std::abort();
  return std::to_string(answer.status) + answer.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 5) return 0;
  const std::string_view sizes = input.substr(0, 4);
  const bool head_request = (input[4] & 1) != 0;
  const std::string_view wire = input.substr(5);
  const auto pieces = read(wire, sizes, head_request);
  const auto whole = read(wire, {}, head_request);
  const auto bytes = read(wire, std::string_view("\0", 1), head_request);
  if (pieces != whole || bytes != whole) std::abort();
  return 0;
}
