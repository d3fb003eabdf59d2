// Chunked transfer coding (RFC 9112 section 7.1), byte by byte where it must be, in runs where it can. No I/O.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dynabackup::http {

class chunk_decoder {
 public:
  enum class outcome { more, done, malformed, too_large };

  /// `max_body_bytes` bounds the body; `max_extra_bytes` all size lines, extensions and trailers together.
  chunk_decoder(std::size_t max_body_bytes, std::size_t max_extra_bytes)
      : body_left_(max_body_bytes), extra_left_(max_extra_bytes) {}

  /// Takes what it can from the front of `in` and appends the data to `out`; what is left after `done` is not ours.
  outcome feed(std::string_view& in, std::string& out);

 private:
  enum class step {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done
  };
  outcome take(char c);
  outcome size_ends();

  std::size_t body_left_;
  std::size_t extra_left_;
  step step_ = step::size;
  std::uint64_t size_ = 0;
  int digits_ = 0;
};

}  // namespace dynabackup::http
