#include "http/chunk_decoder.hpp"

#include <algorithm>

namespace dynabackup::http {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

chunk_decoder::outcome chunk_decoder::feed(std::string_view& in, std::string& out) {
  while (!in.empty() && step_ != step::done) {
    if (step_ == step::data) {
      const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(size_, in.size()));
      out.append(in.substr(0, run));
      in.remove_prefix(run);
      size_ -= run;
      if (size_ == 0) step_ = step::data_cr;
      continue;
    }
    if (extra_left_ == 0) return outcome::too_large;
    --extra_left_;
    if (const outcome bad = take(in.front()); bad != outcome::more) return bad;
    in.remove_prefix(1);
  }
  return step_ == step::done ? outcome::done : outcome::more;
}

chunk_decoder::outcome chunk_decoder::take(char c) {
  const auto expect = [&](char wanted, step next) {
    step_ = next;
    return c == wanted ? outcome::more : outcome::malformed;
  };
  switch (step_) {
    case step::size:
      if (const int digit = hex_digit(c); digit >= 0) {
        size_ = size_ * 16 + static_cast<unsigned>(digit);
        return ++digits_ <= 15 ? outcome::more : outcome::malformed;
      }
      if (digits_ == 0) return outcome::malformed;
      if (c == ';' || c == ' ' || c == '\t') {
        step_ = step::extension;
        return outcome::more;
      }
      return expect('\r', step::size_lf);
    case step::extension:
      if (c == '\r') step_ = step::size_lf;
      return c == '\n' ? outcome::malformed : outcome::more;
    case step::size_lf:
      return c == '\n' ? size_ends() : outcome::malformed;
    case step::data_cr:
      return expect('\r', step::data_lf);
    case step::data_lf:
      digits_ = 0;
      return expect('\n', step::size);
    case step::trailer_start:
      step_ = c == '\r' ? step::end_lf : step::trailer;
      return c == '\n' ? outcome::malformed : outcome::more;
    case step::trailer:
      if (c == '\r') step_ = step::trailer_lf;
      return c == '\n' ? outcome::malformed : outcome::more;
    case step::trailer_lf:
      return expect('\n', step::trailer_start);
    case step::end_lf:
      return expect('\n', step::done);
    case step::data:
    case step::done:
      break;
  }
  return outcome::malformed;
}

chunk_decoder::outcome chunk_decoder::size_ends() {
  if (size_ > body_left_) return outcome::too_large;
  body_left_ -= static_cast<std::size_t>(size_);
  step_ = size_ == 0 ? step::trailer_start : step::data;
  return outcome::more;
}

}  // namespace dynabackup::http
