#include "aws/container_credentials.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "aws/credential_answer.hpp"
#include "aws/retry_decision.hpp"
#include "aws/shared_files.hpp"
#include "dynabackup/error.hpp"
#include "http/url.hpp"

namespace dynabackup::aws {
namespace {

constexpr const char* relative_name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* full_name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* token_name = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* token_file_name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr const char* agent_address = "169.254.170.2";
constexpr std::size_t largest_answer = std::size_t{256} << 10;
constexpr int most_attempts = 3;
constexpr std::chrono::seconds attempt_timeout{2};
constexpr std::chrono::seconds pause{1};

// 127.0.0.0/8, written out: a shorter spelling means different addresses to different readers.
bool is_loopback_v4(std::string_view host) {
  std::array<int, 4> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = host.substr(0, host.find('.'));
    const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), parts.at(i));
    const bool plain = failure == std::errc{} && end == part.data() + part.size() && part.size() <= 3 &&
                       (part == "0" || part.front() != '0');
    if (!plain || parts.at(i) < 0 || parts.at(i) > 255) return false;
    if ((part.size() == host.size()) != (i == 3)) return false;
    host.remove_prefix(std::min(part.size() + 1, host.size()));
  }
  return parts[0] == 127;
}

bool may_be_told_in_plain_text(std::string_view host) {
  constexpr std::array<std::string_view, 5> allowed{agent_address, "169.254.170.23", "fd00:ec2::23", "::1",
                                                    "localhost"};
  return std::find(allowed.begin(), allowed.end(), host) != allowed.end() || is_loopback_v4(host);
}

void check_target(const std::string& target, const char* name) {
  const bool fit = target.starts_with('/') && is_header_word(target) && target.find('#') == std::string::npos;
  if (!fit) throw usage_error(fmt::format("{} holds a path that no URL has", name));
}

bool is_worth_a_retry(const response& answer) {
  const verdict what = classify(answer.status, {});
  return what == verdict::transient || what == verdict::throttled;
}

}  // namespace

container_place container_place_of(const std::optional<std::string>& relative_uri,
                                   const std::optional<std::string>& full_uri) {
  if (relative_uri) {
    check_target(*relative_uri, relative_name);
    return {{.tls = false, .host = agent_address, .port = 80}, *relative_uri};
  }
  const std::string url = full_uri.value_or("");
  const std::size_t scheme = url.find("://");
  const std::size_t path = scheme == std::string::npos ? scheme : url.find_first_of("/?", scheme + 3);
  container_place out{http::parse_url(url.substr(0, path)).where, path == std::string::npos ? "/" : url.substr(path)};
  if (out.target.starts_with('?')) out.target.insert(0, 1, '/');
  check_target(out.target, full_name);
  if (!out.where.tls && !may_be_told_in_plain_text(out.where.host)) {
    throw usage_error(
        fmt::format("{} names the host {} over plain http: that is for addresses of this machine (127.0.0.1, ::1, "
                    "localhost) and of AWS's agents (169.254.170.2, 169.254.170.23, fd00:ec2::23) only; use https",
                    full_name, out.where.host));
  }
  return out;
}

container_credentials::container_credentials(credential_settings settings, transport& network, runtime::clock& clock)
    : settings_(std::move(settings)), network_(network), clock_(clock) {}

bool container_credentials::is_configured(const credential_settings& settings) {
  return variable(settings, relative_name) || variable(settings, full_name);
}

std::string container_credentials::authorization() const {
  if (const auto path = variable(settings_, token_file_name)) return read_token(settings_, *path, token_file_name);
  const auto token = variable(settings_, token_name).value_or("");
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    throw usage_error(fmt::format("{} holds a line break, a control character or a non-ASCII one", token_name));
  return token;
}

task<credentials> container_credentials::fetch() {
  const container_place place = container_place_of(variable(settings_, relative_name), variable(settings_, full_name));
  request r;
  r.method = "GET";
  r.to = place.where;
  r.target = place.target;
  r.headers = {{"Accept", "application/json"}, {"Accept-Encoding", "identity"}};
  if (std::string token = authorization(); !token.empty()) r.headers.push_back({"Authorization", std::move(token)});
  r.max_response_bytes = largest_answer;
  r.attempt_timeout = attempt_timeout;

  response answer;
  std::string problem;
  for (int attempt = 1; attempt <= most_attempts; ++attempt) {
    if (attempt > 1) co_await clock_.sleep(pause);
    try {
      answer = co_await network_.send(r);
      problem = answer.status == 200 ? "" : fmt::format("{}: HTTP {}", place.where.text(), answer.status);
      if (!is_worth_a_retry(answer)) break;
    } catch (const transport_error& e) {
      problem = e.what();
      if (!e.retryable) break;
    }
  }
  if (!problem.empty()) throw error(fmt::format("the container credentials endpoint gave no keys: {}", problem));
  credentials found = read_container_credentials(answer.body);
  set_by_our_clock(found, answer, clock_.now());
  found.source = fmt::format("container credentials ({})", place.where.text());
  co_return found;
}

}  // namespace dynabackup::aws
