#include "fakes/aws/fake_s3.hpp"

#include <algorithm>
#include <stdexcept>

#include "fakes/aws/s3_service.hpp"

namespace dynabackup::fakes {

namespace {

object_version shown(const s3_store::version& v) {
  object_version result{.id = v.id(),
                        .body = v.body,
                        .etag = v.marker() ? std::string{} : v.tag.text(),
                        .meta = {},
                        .content_type = std::string(v.what.content_type()),
                        .last_modified = v.last_modified};
  for (const auto& [name, value] : v.what.meta()) result.meta.emplace(name, value);
  return result;
}

}  // namespace

struct fake_s3::state {
  s3_store::s3_service service;

  s3_store::bucket& at(const std::string& bucket) const {
    const s3_store::bucket* const found = service.find_bucket(bucket);
    if (found == nullptr) throw std::logic_error("no bucket " + bucket);
    return const_cast<s3_store::bucket&>(*found);
  }
};

fake_s3::fake_s3(std::function<wall_time()> now, s3_traits traits)
    : state_(new state{{std::move(now), std::move(traits)}}) {}
fake_s3::~fake_s3() = default;

response fake_s3::handle(const request& r) { return state_->service.handle(r); }

void fake_s3::create_bucket(const std::string& bucket, bool versioned) {
  using enum s3_store::versioning_state;
  state_->service.make_bucket(bucket).versioning = versioned ? enabled : never;
}

std::string fake_s3::put(const std::string& bucket, const std::string& key, std::string body,
                         std::map<std::string, std::string> meta) {
  s3_store::attributes what("application/json");
  for (const auto& [name, value] : meta) what.add_meta(name, value);
  return state_->service.store(state_->at(bucket), key, std::move(body), std::move(what)).id();
}

std::string fake_s3::remove(const std::string& bucket, const std::string& key) {
  const auto marker = state_->service.bury(state_->at(bucket), key);
  return marker ? marker->id() : std::string{};
}

std::vector<object_version> fake_s3::versions(const std::string& bucket, const std::string& key) const {
  std::vector<object_version> result;
  const s3_store::chain* const versions = state_->at(bucket).keys.find(key);
  if (versions == nullptr) return result;
  std::transform(versions->rbegin(), versions->rend(), std::back_inserter(result), shown);
  return result;
}

std::map<std::string, object_version> fake_s3::current(const std::string& bucket, const std::string& prefix) const {
  std::map<std::string, object_version> result;
  const auto& keys = state_->at(bucket).keys.ordered();
  for (auto at = s3_store::key_table::lower_bound(keys, prefix); at != keys.end(); ++at) {
    const auto& [key, versions] = **at;
    if (!key.starts_with(prefix)) break;
    if (!versions.back().marker()) result.emplace_hint(result.end(), key, shown(versions.back()));
  }
  return result;
}

void fake_s3::for_each_key(
    const std::string& bucket,
    const std::function<void(const std::string& key, std::size_t versions, const std::string& etag)>& tell) const {
  for (const s3_store::key_table::entry* const entry : state_->at(bucket).keys.ordered()) {
    const auto& [key, versions] = *entry;
    const s3_store::version& current = versions.back();
    tell(key, versions.size(), current.marker() ? std::string{} : current.tag.text());
  }
}

std::size_t fake_s3::open_uploads(const std::string& bucket) const { return state_->at(bucket).uploads.size(); }

}  // namespace dynabackup::fakes
