#include "fakes/server/request_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "http/chunk_decoder.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t first_buffer = 16 * 1024;
constexpr std::size_t most_headers = 100;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> number(std::string_view text, int base = 10) {
  std::size_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

request_reader::request_reader(limits l) : limits_(l), buffer_(std::min(first_buffer, l.head_bytes), '\0') {}
request_reader::~request_reader() = default;

std::span<char> request_reader::room() {
  if (state_ == state::body && framing_ == framing::length) {
    return {request_.body.data() + filled_, length_ - filled_};
  }
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size() && begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void request_reader::received(std::size_t bytes) {
  if (state_ == state::body && framing_ == framing::length) {
    filled_ += bytes;
    if (filled_ == length_) finish();
    return;
  }
  end_ += bytes;
  state_ == state::head ? read_head() : read_body();
}

void request_reader::next() {
  state_ = state::head;
  framing_ = framing::none;
  keep_alive_ = true;
  expects_ = aws_chunked_ = false;
  length_ = filled_ = 0;
  chunks_.reset();
  if (begin_ != end_) read_head();
}

bool request_reader::take_expectation() { return state_ == state::body && std::exchange(expects_, false); }

void request_reader::refuse(int status) {
  state_ = state::refused;
  status_ = status;
}

header& request_reader::next_header() {
  if (headers_ == request_.headers.size()) request_.headers.emplace_back();
  return request_.headers[headers_++];
}

void request_reader::read_head() {
  // Some clients send an empty line after a body (RFC 9112 2.2).
  while (pending().starts_with("\r\n")) begin_ += 2;
  const std::string_view text = pending();
  const std::size_t end_of_head = text.find("\r\n\r\n");
  if (end_of_head == std::string_view::npos) {
    if (text.size() >= limits_.head_bytes) refuse(431);
    return;
  }
  std::string_view head = text.substr(0, end_of_head + 2);
  if (head.size() > limits_.head_bytes) return refuse(431);
  begin_ += head.size() + 2;
  headers_ = 0;
  for (bool first = true; !head.empty(); first = false) {
    const std::size_t end = head.find('\n');
    if (end == 0 || head[end - 1] != '\r') return refuse(400);
    const std::string_view line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    if (!(first ? read_request_line(line) : read_header(line))) return refuse(400);
    if (state_ == state::refused) return;
  }
  request_.headers.resize(headers_);
  begin_body();
}

bool request_reader::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
  keep_alive_ = version == "HTTP/1.1";
  if (!is_token(line.substr(0, first))) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!std::ranges::all_of(target, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; })) {
    return false;
  }
  request_.method.assign(line.substr(0, first));
  request_.target.assign(target);
  return true;
}

bool request_reader::read_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || headers_ == most_headers) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  note_framing(name, value);
  header& h = next_header();
  h.name.assign(name);
  h.value.assign(value);
  return true;
}

void request_reader::note_framing(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 6:
      expects_ = expects_ || (same(name, "expect") && same(value, "100-continue"));
      break;
    case 10:
      if (same(name, "connection"))
        keep_alive_ = same(value, "close") ? false : keep_alive_ || same(value, "keep-alive");
      break;
    case 14:
      if (same(name, "content-length")) {
        const std::optional<std::size_t> length = number(value);
        if (!length || framing_ != framing::none) return refuse(400);
        length_ = *length;
        framing_ = framing::length;
      }
      break;
    case 17:
      if (same(name, "transfer-encoding")) {
        if (!same(value, "chunked") || framing_ != framing::none) return refuse(400);
        framing_ = framing::chunked;
      }
      break;
    case 20:
      if (same(name, "x-amz-content-sha256")) aws_chunked_ = value.starts_with("STREAMING-");
      break;
    default:
      break;
  }
}

void request_reader::begin_body() {
  request_.body.clear();
  if (framing_ == framing::length && length_ > limits_.body_bytes) return refuse(413);
  if (framing_ == framing::none || (framing_ == framing::length && length_ == 0)) return finish();
  state_ = state::body;
  if (framing_ == framing::chunked) {
    chunks_ = std::make_unique<http::chunk_decoder>(limits_.body_bytes, limits_.body_bytes / 8 + limits_.head_bytes);
    return read_body();
  }
  filled_ = std::min(length_, end_ - begin_);
  request_.body.assign(pending().substr(0, filled_));
  begin_ += filled_;
  if (filled_ == length_) return finish();
  request_.body.resize(length_);
}

void request_reader::read_body() {
  using enum http::chunk_decoder::outcome;
  std::string_view bytes = pending();
  const auto outcome = chunks_->feed(bytes, request_.body);
  begin_ = end_ - bytes.size();
  if (outcome == malformed) return refuse(400);
  if (outcome == too_large) return refuse(413);
  if (outcome == done) finish();
}

void request_reader::finish() {
  if (aws_chunked_ && !decode_aws_chunked(request_.body, request_.headers)) return refuse(400);
  state_ = state::done;
}

namespace {

/// A line taken from the front, without its end; nothing when there is none.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

std::optional<std::size_t> promised_length(const std::vector<header>& headers) {
  for (const header& h : headers)
    if (same(h.name, "x-amz-decoded-content-length")) return number(h.value);
  return std::nullopt;
}

}  // namespace

bool decode_aws_chunked(std::string& body, std::vector<header>& headers) {
  std::string_view rest = body;
  std::size_t decoded = 0;
  while (true) {
    const auto line = take_line(rest);
    const auto size = line ? number(line->substr(0, line->find(';')), 16) : std::nullopt;
    if (!size || *size > rest.size()) return false;
    if (*size == 0) break;
    const std::string_view data = rest.substr(0, *size);
    rest.remove_prefix(*size);
    if (!rest.starts_with("\r\n")) return false;
    rest.remove_prefix(2);
    std::memmove(body.data() + decoded, data.data(), data.size());
    decoded += data.size();
  }
  std::size_t trailers = 0;
  for (auto line = take_line(rest); line && !line->empty(); line = take_line(rest)) {
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos || !is_token(line->substr(0, colon)) || ++trailers > most_headers) return false;
    headers.push_back({std::string(line->substr(0, colon)), std::string(trimmed(line->substr(colon + 1)))});
  }
  if (const auto promised = promised_length(headers); !promised || *promised != decoded) return false;
  body.resize(decoded);
  return true;
}

}  // namespace dynabackup::fakes
