#include "fakes/aws/s3_call.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "fakes/aws/http_date.hpp"
#include "fakes/aws/s3_store.hpp"
#include "text/codecs.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string decoded(std::string_view text) {
  return text.find('%') == std::string_view::npos ? std::string(text) : text::percent_decode(text);
}

}  // namespace

s3_call::s3_call(const request& request_) : r(request_) {
  std::string_view path = r.target;
  std::string_view query;
  if (const std::size_t mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  if (!path.starts_with('/')) throw refusal{400, "InvalidURI", "Couldn't parse the specified URI."};
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  bucket = decoded(path.substr(0, slash));
  if (slash != std::string_view::npos) key = decoded(path.substr(slash + 1));
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    query_.emplace_back(text::percent_decode(pair.substr(0, equals), true),
                        text::percent_decode(pair.substr(std::min(pair.size(), equals + 1)), true));
  }
}

const std::string* s3_call::parameter(std::string_view name) const {
  for (const auto& [known, value] : query_)
    if (known == name) return &value;
  return nullptr;
}

std::string s3_call::parameter_or(std::string_view name, std::string_view otherwise) const {
  const std::string* const value = parameter(name);
  return value == nullptr ? std::string(otherwise) : *value;
}

int s3_call::number(std::string_view name, int otherwise, int most) const {
  const std::string* const text = parameter(name);
  if (text == nullptr || text->empty()) return std::min(otherwise, most);
  int value = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failure != std::errc{} || end != text->data() + text->size() || value < 0) {
    throw refusal{400,
                  "InvalidArgument",
                  fmt::format("Provided {} not an integer or within integer range", name),
                  {{"ArgumentName", std::string(name)}, {"ArgumentValue", *text}}};
  }
  return std::min(value, most);
}

std::string_view s3_call::header_value(std::string_view name) const {
  for (const header& h : r.headers)
    if (is_header(h.name, name)) return h.value;
  return {};
}

std::string s3_replies::request_id() {
  // Told apart at a glance, and the same in every run.
  std::string id;
  append_hex(id, ++answers_ * 0x9e3779b97f4a7c15U);
  return id;
}

response s3_replies::plain(int status) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now_());
  if (second != date_second_) {
    date_second_ = second;
    date_ = http_date(second);
  }
  response answer;
  answer.status = status;
  answer.headers.reserve(8);
  answer.headers.push_back({"Date", date_});
  answer.headers.push_back({"x-amz-request-id", request_id()});
  return answer;
}

response s3_replies::xml(std::string body, int status) {
  response answer = plain(status);
  answer.headers.push_back({"Content-Type", "application/xml"});
  body.reserve(body.size() + response::body_padding);
  answer.body = std::move(body);
  return answer;
}

response s3_replies::refuse(const refusal& why, bool head) {
  response answer = plain(why.status);
  answer.headers.push_back({"Content-Type", "application/xml"});
  answer.headers.insert(answer.headers.end(), why.headers.begin(), why.headers.end());
  if (head || why.status == 304) return answer;
  std::string children;
  append_element(children, "Code", why.code);
  append_element(children, "Message", why.message);
  for (const auto& [name, text] : why.details) append_element(children, name, text);
  append_element(children, "RequestId", answer.header_value("x-amz-request-id"));
  append_element(children, "HostId", "fake");
  answer.body.reserve(declaration.size() + children.size() + 16 + response::body_padding);
  answer.body.append(declaration).append("<Error>").append(children).append("</Error>");
  return answer;
}

std::string list_time(wall_time t) {
  std::string text = text::rfc3339(std::chrono::floor<std::chrono::seconds>(t));
  text.pop_back();
  return text + ".000Z";
}

std::string xml_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("&#x{:x};", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">").append(xml_text(text)).append("</").append(name).append(">");
}

std::string quoted(std::string_view etag) {
  std::string text;
  text.reserve(etag.size() + 2);
  text.append(1, '"').append(etag).append(1, '"');
  return text;
}

std::string document(std::string_view root, std::string_view children) {
  return fmt::format("{}<{} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</{}>", declaration, root, children,
                     root);
}

}  // namespace dynabackup::fakes::s3_store
