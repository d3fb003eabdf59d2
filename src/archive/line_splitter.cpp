#include "archive/line_splitter.hpp"

#include "dynabackup/error.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::archive {

namespace {

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void line_splitter::feed(std::string_view chunk) {
  // Never moves more bytes than have been consumed since the last move: linear, and at most half the buffer is spent.
  if (start_ >= buffered()) {
    buffer_.erase(0, start_);
    searched_ -= start_;
    start_ = 0;
  }
  buffer_.reserve(buffer_.size() + chunk.size() + response::body_padding);
  buffer_.append(chunk);
}

std::optional<std::string_view> line_splitter::next() {
  const auto end = buffer_.find('\n', searched_);
  const auto pending = std::string_view(buffer_).substr(start_, end == std::string::npos ? end : end - start_);
  const auto line = without_cr(pending);
  if (line.size() > max_line_bytes) throw format_error("a line of more than 16 MiB");
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    return std::nullopt;
  }
  start_ = searched_ = end + 1;
  return line;
}

std::optional<std::string_view> line_splitter::finish() {
  if (auto line = next()) return line;
  if (buffered() == 0) return std::nullopt;
  const auto line = without_cr(std::string_view(buffer_).substr(start_));
  start_ = searched_ = buffer_.size();
  return line;
}

}  // namespace dynabackup::archive
