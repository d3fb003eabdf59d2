#include "http/response_reader.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "dynabackup/error.hpp"
#include "http/chunk_decoder.hpp"

namespace dynabackup::http {

namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr std::size_t first_buffer_bytes = 16 * 1024;
// A string zeroes what it grows by: in steps that stay in the cache until the socket fills them.
constexpr std::size_t body_step_bytes = 128 * 1024;
constexpr std::size_t unsized_body_cost = 16 * 1024;
// More than the services send; the layers above us add a header or two.
constexpr std::size_t usual_headers = 16;
constexpr std::string_view http_1 = "HTTP/1.";
constexpr char tls_alert = 0x15;
constexpr char tls_handshake = 0x16;

}  // namespace

// Beast's parser for the head alone; our response is filled without a detour over its containers.
class response_reader::head_parser final : public beast::http::basic_parser<false> {
 public:
  head_parser(response& into, const limits& l) : into_(into) {
    eager(false);
    skip(l.head_request);
    body_limit(boost::none);
    header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(l.header_bytes, 1u << 30)));
    into_.headers.reserve(usual_headers);
  }
  bool foreign_coding = false;

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int code, beast::string_view, int, error_code&) override { into_.status = code; }
  void on_field_impl(beast::http::field f, beast::string_view name, beast::string_view value, error_code&) override {
    into_.headers.emplace_back(std::string(name), std::string(value));
    if (f == beast::http::field::transfer_encoding && !beast::iequals(value, "chunked")) foreign_coding = true;
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  response& into_;
};

response_reader::response_reader(std::string endpoint) : endpoint_(std::move(endpoint)) {}
response_reader::~response_reader() = default;

void response_reader::begin(limits l) {
  limits_ = l;
  state_ = state::head;
  framing_ = framing::none;
  begin_ = end_ = head_bytes_ = length_ = filled_ = 0;
  started_ = keep_alive_ = surplus_ = false;
  at_start_ = true;
  answer_ = {};
  parser_ = std::make_unique<head_parser>(answer_, limits_);
  if (buffer_.empty()) buffer_.resize(first_buffer_bytes);
}

std::span<char> response_reader::room() {
  if (state_ == state::body && framing_ != framing::chunked) {
    std::string& body = answer_.body;
    std::size_t end = filled_ + body_step_bytes;
    // The padding is offered as well: what lands there shows that the answer does not end where it says.
    if (framing_ == framing::length) end = std::min(end, length_ + response::body_padding);
    body.resize(std::max(body.size(), end));
    account_for_growth();
    return {body.data() + filled_, body.size() - filled_};
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void response_reader::received(std::size_t bytes) {
  if (bytes > 0) started_ = true;
  if (state_ == state::body && framing_ != framing::chunked) {
    filled_ += bytes;
    if (framing_ == framing::until_close) check_unsized_body();
    if (framing_ == framing::length && filled_ >= length_) body_done();
    return;
  }
  end_ += bytes;
  if (state_ == state::head) read_head();
  if (state_ == state::body) read_chunks();
}

void response_reader::read_head() {
  while (state_ == state::head && begin_ < end_) {
    if (at_start_) check_start();
    error_code problem;
    const std::size_t used = parser_->put({buffer_.data() + begin_, end_ - begin_}, problem);
    if (used > 0) at_start_ = false;
    begin_ += used;
    head_bytes_ += used;
    const bool incomplete = problem == beast::http::error::need_more;
    if (head_bytes_ > limits_.header_bytes || problem == beast::http::error::header_limit ||
        (incomplete && head_bytes_ + pending().size() > limits_.header_bytes)) {
      fail(fmt::format("the answer's head exceeds {} bytes", limits_.header_bytes), false);
    }
    if (problem && !incomplete) fail("the answer is not valid HTTP/1.1: " + problem.message());
    if (incomplete) return;
    if (parser_->is_header_done()) head_done();
  }
}

// The parser looks at a line once it is whole; what is not HTTP at all may never send one.
void response_reader::check_start() const {
  const std::string_view first = pending().substr(0, http_1.size());
  if (first == http_1.substr(0, first.size())) return;
  if (first.front() == tls_alert || first.front() == tls_handshake) {
    fail("the server speaks TLS on this port; the endpoint's URL should begin with https://", false);
  }
  fail("the answer is not valid HTTP/1.1: it begins with something else");
}

void response_reader::head_done() {
  if (parser_->foreign_coding) fail("the answer comes in a transfer coding other than chunked", false);
  if (answer_.status < 100 || answer_.status == 101) {
    fail(fmt::format("the answer has a status that was not asked for: {}", answer_.status), false);
  }
  if (answer_.status < 200) {  // an interim answer: the real one is still to come
    answer_ = {};
    parser_ = std::make_unique<head_parser>(answer_, limits_);
    at_start_ = true;
    return;
  }
  decide_framing();
}

void response_reader::decide_framing() {
  keep_alive_ = parser_->keep_alive();
  const auto length = parser_->content_length();
  const bool bodiless = limits_.head_request || answer_.status == 204 || answer_.status == 304;
  if (bodiless || (length && *length == 0)) {
    state_ = state::done;
    return;
  }
  state_ = state::held;
  if (parser_->chunked()) {
    framing_ = framing::chunked;
    return;
  }
  framing_ = length ? framing::length : framing::until_close;
  if (length && *length > limits_.body_bytes) {
    fail(fmt::format("the answer's body of {} bytes exceeds {}", *length, limits_.body_bytes), false);
  }
  length_ = length ? static_cast<std::size_t>(*length) : 0;
}

std::size_t response_reader::body_cost() const {
  return framing_ == framing::length ? length_ + response::body_padding : unsized_body_cost;
}

void response_reader::admit(byte_budget::charge share) {
  answer_.charge = std::move(share);
  state_ = state::body;
  if (framing_ == framing::chunked) {
    chunks_ = std::make_unique<chunk_decoder>(limits_.body_bytes, limits_.header_bytes + limits_.body_bytes / 4);
    read_chunks();
    return;
  }
  answer_.body.reserve(length_ + response::body_padding);
  const std::size_t ready = framing_ == framing::length ? std::min(length_, end_ - begin_) : end_ - begin_;
  answer_.body.assign(buffer_, begin_, ready);
  begin_ += ready;
  received(ready);
}

void response_reader::read_chunks() {
  std::string_view in = pending();
  const chunk_decoder::outcome outcome = chunks_->feed(in, answer_.body);
  begin_ = end_ - in.size();
  account_for_growth();
  switch (outcome) {
    case chunk_decoder::outcome::more:
      return;
    case chunk_decoder::outcome::done:
      filled_ = answer_.body.size();
      state_ = state::done;
      return;
    case chunk_decoder::outcome::too_large:
      fail(fmt::format("the answer's chunked body exceeds {} bytes", limits_.body_bytes), false);
    case chunk_decoder::outcome::malformed:
      fail("the answer is not valid HTTP/1.1: bad chunk");
  }
}

void response_reader::body_done() {
  surplus_ = filled_ > length_;
  filled_ = length_;
  state_ = state::done;
}

void response_reader::check_unsized_body() {
  if (filled_ > limits_.body_bytes) fail(fmt::format("the answer's body exceeds {} bytes", limits_.body_bytes), false);
}

void response_reader::account_for_growth() {
  if (answer_.body.capacity() > answer_.charge.bytes()) answer_.charge.resize(answer_.body.capacity());
}

void response_reader::closed() {
  if (state_ == state::body && framing_ == framing::until_close) {
    state_ = state::done;
    return;
  }
  if (!started_) {
    // Many TLS servers hang up on plain text without a word.
    const bool plain = endpoint_.starts_with("http://");
    fail(std::string("the server closed the connection without an answer") + (plain ? " (does it want https?)" : ""));
  }
  if (state_ == state::head) fail("the connection closed in the middle of an answer's head");
  if (framing_ == framing::length) {
    fail(fmt::format("the connection closed after {} of {} bytes of an answer's body", filled_, length_));
  }
  fail("the connection closed in the middle of an answer's chunked body");
}

response response_reader::take() {
  answer_.body.resize(filled_);
  answer_.body.reserve(filled_ + response::body_padding);
  answer_.charge.resize(answer_.body.capacity());
  return std::exchange(answer_, {});
}

bool response_reader::reusable() const {
  return state_ == state::done && keep_alive_ && framing_ != framing::until_close && !surplus_ && begin_ == end_;
}

void response_reader::fail(const std::string& what, bool retryable) const {
  transport_error problem(endpoint_, transport_error::stage::after_send, what);
  problem.retryable = retryable;
  throw problem;
}

}  // namespace dynabackup::http
