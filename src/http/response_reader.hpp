// Puts one answer together from bytes as they come (RFC 9112): no I/O, so that it can be tested at every chunk size and
// fuzzed. The connection reads into room(), says how much came, and stops at `held` to have the body charged first.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "dynabackup/http.hpp"

namespace dynabackup::http {

class chunk_decoder;

class response_reader {
 public:
  struct limits {
    std::size_t header_bytes = 64 * 1024;  ///< all heads of one answer together, and the extras of a chunked body
    std::size_t body_bytes = 0;
    bool head_request = false;  ///< the answer to HEAD has no body, whatever its headers say
  };
  enum class state { head, held, body, done };

  /// `endpoint` is what its transport_errors name.
  explicit response_reader(std::string endpoint);
  ~response_reader();

  /// Forgets the last answer and expects a new one.
  void begin(limits l);
  [[nodiscard]] state now() const { return state_; }

  /// Where the next bytes belong; never empty in `head` and `body`. A body of known length is read where it will stay.
  std::span<char> room();
  /// So many bytes are in room(). Malformed or oversized answers throw transport_error.
  void received(std::size_t bytes);
  /// The peer has closed; ends a body that has no length, else throws transport_error.
  void closed();

  /// In `held`: the memory the body is going to take, as far as the head says.
  [[nodiscard]] std::size_t body_cost() const;
  /// Leaves `held`. The charge goes with the answer, and is corrected as a body of unknown length grows.
  void admit(byte_budget::charge share);

  /// In `done`: the answer. Its body has response::body_padding spare bytes.
  response take();
  /// In `done`: whether the connection can serve another request.
  [[nodiscard]] bool reusable() const;
  /// Whether any byte of an answer has come.
  [[nodiscard]] bool started() const { return started_; }

 private:
  class head_parser;
  enum class framing { none, length, chunked, until_close };

  void read_head();
  void check_start() const;
  void head_done();
  void decide_framing();
  void read_chunks();
  void body_done();
  void check_unsized_body();
  void account_for_growth();
  [[noreturn]] void fail(const std::string& what, bool retryable = true) const;
  [[nodiscard]] std::string_view pending() const { return {buffer_.data() + begin_, end_ - begin_}; }

  std::string endpoint_;
  limits limits_;
  state state_ = state::head;
  framing framing_ = framing::none;
  std::string buffer_;  // heads and chunked bodies come through here; [begin_, end_) is not yet taken
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t head_bytes_ = 0;
  bool at_start_ = true;  // of a status line
  bool started_ = false;
  bool keep_alive_ = false;
  bool surplus_ = false;
  std::size_t length_ = 0;  // of a body of known length
  std::size_t filled_ = 0;  // bytes of the body that have come
  std::unique_ptr<head_parser> parser_;
  std::unique_ptr<chunk_decoder> chunks_;
  response answer_;
};

}  // namespace dynabackup::http
