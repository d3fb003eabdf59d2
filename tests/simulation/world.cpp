#include "simulation/world.hpp"

#include <array>
#include <chrono>
#include <fmt/format.h>
#include <iostream>
#include <iterator>
#include <optional>

#include "archive/canonical_json.hpp"
#include "dynamodb/scan_page.hpp"
#include "simulation/forged_answers.hpp"
#include "simulation/items.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::simulation {
namespace {

/// How far a signature's date may be from the service's clock (SigV4: DynamoDB; Amazon S3, "RequestTimeTooSkewed").
constexpr minutes dynamodb_tolerance{5}, s3_tolerance{15};
constexpr int reactions = 60;

std::optional<fakes::wall_time> signed_at(const request& r) {
  const std::string_view d = header_of(r, "x-amz-date");
  if (d.size() != 16) return std::nullopt;
  return text::parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", d.substr(0, 4), d.substr(4, 2), d.substr(6, 2),
                                         d.substr(9, 2), d.substr(11, 2), d.substr(13, 2)));
}

std::string canonical_key(const dynamodb::key_schema& schema, std::string_view item) {
  static archive::canonicalizer canonical;
  std::string out, key;
  canonical.item_and_key(item, schema, out, key);
  return key;
}

}  // namespace

std::string http_date(fakes::wall_time t) {
  namespace chrono = std::chrono;
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = chrono::floor<chrono::days>(t);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(t - day));
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

world::world(std::uint64_t seed, world_settings given)
    : chance(seed),
      store([this] { return time.wall(); }, given.store),
      tables([this] { return time.wall(); }, given.table),
      key(random_key_schema(chance)),
      reference(time, store, chance.next()),
      places(chance.fork()),
      settings(std::move(given)) {
  store.create_bucket(home.bucket, true);
  store.create_bucket(snapshots.bucket, chance.one_in(2));
  tables.create_table(table, key, settings.stream ? "NEW_AND_OLD_IMAGES" : "");
}

void world::say(const std::string& what) const {
  if (!settings.verbose) return;
  std::cout << fmt::format("{:>10.3f} ", static_cast<double>(time.elapsed().count()) / 1000) << what << '\n';
}

response world::serve(const request& r, service to) {
  const auto date = signed_at(r);
  const auto tolerance = to == service::s3 ? s3_tolerance : dynamodb_tolerance;
  if (!date || std::chrono::abs(*date - time.wall()) > tolerance) {
    response refused = to == service::s3
                           ? service_refusal(to, r, 403, "RequestTimeTooSkewed", "The difference is too large.")
                           : service_refusal(to, r, 400, "InvalidSignatureException", "Signature expired");
    refused.headers.push_back({"Date", http_date(time.wall())});
    return refused;
  }
  if (to == service::s3) {
    std::optional<response> elsewhere = places.refusal(r);
    if (elsewhere) return *std::move(elsewhere);
  }
  if (!is_known(r))
    return service_refusal(to, r, 400, to == service::s3 ? "ExpiredToken" : "ExpiredTokenException", "Expired.");
  response answer = to == service::s3 ? serve_object(r) : tables.handle(r);
  if (loose_) write_about(r, answer);
  return answer;
}

/// The store knows of one region; which one a bucket is in is known here.
response world::serve_object(const request& r) {
  response answer = store.handle(r);
  for (header& h : answer.headers)
    if (h.name == "x-amz-bucket-region") h.value = places.place_of(bucket_of(r));
  return answer;
}

bool world::is_known(const request& r) const {
  if (!settings.session_tokens) return true;
  const auto token = tokens_.find(std::string(header_of(r, "x-amz-security-token")));
  return token != tokens_.end() && time.wall() < token->second;
}

response world::give_keys() {
  const std::string token = "token-" + std::to_string(++given_tokens_);
  const fakes::wall_time until = tokens_[token] = time.wall() + chance.between(milliseconds{minutes{5}}, minutes{60});
  say("gives " + token);
  response answer;
  answer.status = 200;
  answer.headers = {{"Content-Type", "application/json"}, {"Date", http_date(time.wall())}};
  answer.body = R"({"AccessKeyId":"AKIDSIMULATED","SecretAccessKey":"secret","Token":")" + token +
                R"(","Expiration":")" + text::rfc3339(until) + R"("})";
  return answer;
}

void world::revoke_tokens() {
  if (time.elapsed() < next_revocation_) return;
  next_revocation_ = time.elapsed() + minutes{2};
  say("all tokens are revoked");
  tokens_.clear();
}

void world::write(std::uint64_t n) {
  const std::string members = key_members(key, n);
  next_item_ = std::max(next_item_, n + 1);
  const std::string item = random_item(chance, members, ++revision_);
  const std::string key_json = canonical_key(key, item);
  members_[key_json] = members;
  changed_.insert(key_json);
  say("table: put " + key_json);
  tables.put(table, item);
}

void world::erase(const std::string& key_json) {
  if (!tables.remove(table, key_json)) return;
  changed_.insert(key_json);
  say("table: delete " + key_json);
}

void world::touch(const std::string& key_json) {
  if (!loose_) return;
  const auto spelt = members_.find(key_json);
  if (spelt == members_.end()) return;
  const std::uint64_t what = chance.below(5);
  if (what < 3) return erase(key_json);
  changed_.insert(key_json);
  say("table: modify " + key_json);
  tables.put(table, random_item(chance, spelt->second, ++revision_));
}

void world::touch_soon(const std::string& key_json, milliseconds at_most) {
  time.after(chance.between(milliseconds{0}, at_most), [this, key_json] { touch(key_json); });
}

void world::let_writers_loose(milliseconds how_long) {
  loose_ = true;
  reactions_left_ = reactions;
  for (std::int64_t left = chance.between(10, 60); left > 0; --left) {
    time.after(chance.between(milliseconds{0}, how_long), [this] {
      if (!loose_) return;
      if (chance.one_in(5)) return write(next_item_);
      touch(std::next(members_.begin(), static_cast<std::ptrdiff_t>(chance.below(members_.size())))->first);
    });
  }
  time.after(how_long, [this] { stop_writers(); });
}

/// What makes races: items change just when we have read them.
void world::write_about(const request& r, const response& answer) {
  if (reactions_left_ <= 0 || answer.status != 200 || operation_of(r, service::dynamodb) != "Scan" || !chance.one_in(2))
    return;
  response copy;
  copy.status = answer.status;
  copy.body = answer.body;
  copy.body.reserve(copy.body.size() + response::body_padding);
  const dynamodb::scan_page page(std::move(copy));
  for (std::int64_t left = chance.between(1, 3); left > 0 && page.size() > 0; --left) {
    --reactions_left_;
    touch_soon(canonical_key(key, page.item(chance.below(page.size()))), milliseconds{1'500});
  }
}

void world::let_buckets_move() {
  const std::uint64_t when = chance.below(8);
  if (when > 1) return;
  const milliseconds latest{when == 0 ? 0 : 30'000};
  for (const std::string& bucket : {home.bucket, snapshots.bucket}) {
    const std::string region = chance.pick(std::array<std::string, 2>{"us-west-2", "eu-west-1"});
    if (!chance.one_in(4))
      time.after(chance.between(milliseconds{0}, latest), [this, bucket, region] {
        say(bucket + " is in " + region);
        places.move(bucket, region);
      });
  }
}

void world::settle() {
  while (time.advance()) {
  }
}

}  // namespace dynabackup::simulation
