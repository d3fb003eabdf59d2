// Puts one request together from bytes as they come (RFC 9112), the server's side: no I/O. Its memory is used again for
// the next request of a connection.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "dynabackup/http.hpp"

namespace dynabackup::http {
class chunk_decoder;
}

namespace dynabackup::fakes {

class request_reader {
 public:
  struct limits {
    std::size_t head_bytes = 64 * 1024;
    std::size_t body_bytes = std::size_t{64} << 20;
  };
  enum class state { head, body, done, refused };

  explicit request_reader(limits l);
  ~request_reader();

  [[nodiscard]] state now() const { return state_; }
  /// Where the next bytes belong, in `head` and `body`; never empty.
  std::span<char> room();
  /// So many bytes are in room().
  void received(std::size_t bytes);

  /// In `done`: all headers but those that only framed the body; the body without its transfer coding and without S3's
  /// aws-chunked, whose trailers are headers here.
  [[nodiscard]] const request& message() const { return request_; }
  /// In `refused`: the status to refuse it with.
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  /// In `body`, once: the client waits to be told to send it.
  bool take_expectation();
  /// Between requests: nothing of the next one has come.
  [[nodiscard]] bool idle() const { return state_ == state::head && begin_ == end_; }

  /// After `done`: on to the next request, of which bytes may have come already.
  void next();

 private:
  enum class framing { none, length, chunked };

  void read_head();
  bool read_request_line(std::string_view line);
  bool read_header(std::string_view line);
  void note_framing(std::string_view name, std::string_view value);
  void begin_body();
  void read_body();
  void finish();
  void refuse(int status);
  header& next_header();
  [[nodiscard]] std::string_view pending() const { return {buffer_.data() + begin_, end_ - begin_}; }

  limits limits_;
  state state_ = state::head;
  framing framing_ = framing::none;
  int status_ = 0;
  bool keep_alive_ = true;
  bool expects_ = false;
  bool aws_chunked_ = false;
  std::string buffer_;  // [begin_, end_) is not yet taken
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t length_ = 0;  // of the body
  std::size_t filled_ = 0;  // bytes of the body that have come
  std::size_t headers_ = 0;
  std::unique_ptr<http::chunk_decoder> chunks_;
  request request_;
};

/// S3's aws-chunked coding (STREAMING-* payloads) undone in place; trailers are appended to `headers`. Signatures of
/// chunks are not checked. False when it is malformed or not as long as x-amz-decoded-content-length says.
bool decode_aws_chunked(std::string& body, std::vector<header>& headers);

}  // namespace dynabackup::fakes
