// Bytes in chunks of any size to whole lines, keeping the tail. Sans-I/O.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dynabackup::archive {

class line_splitter {
 public:
  /// A longer line is a format_error: an item of that size as JSON fits in no BatchWriteItem request (16 MB).
  static constexpr std::size_t max_line_bytes = std::size_t{16} << 20;

  void feed(std::string_view chunk);
  /// The next whole line without its LF (or CRLF), valid until the next feed; nullopt = needs more.
  /// Readable padding of response::body_padding bytes is behind it.
  std::optional<std::string_view> next();
  /// The last line if it lacks its LF. Lines not taken yet come first; nullopt = nothing is left.
  std::optional<std::string_view> finish();
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }
  /// What it takes of memory.
  [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

 private:
  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t searched_ = 0;
};

}  // namespace dynabackup::archive
