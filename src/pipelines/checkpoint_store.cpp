#include "pipelines/checkpoint_store.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup::pipelines {
namespace {

namespace fs = std::filesystem;

class in_bucket final : public checkpoint_store {
 public:
  in_bucket(run_context& run, std::string bucket, std::string key)
      : run_(run), bucket_(std::move(bucket)), key_(std::move(key)) {}

  [[nodiscard]] std::string name() const override { return "s3://" + bucket_ + "/" + key_; }

  task<std::optional<saved_checkpoint>> load() override {
    std::optional<s3::object_body> found = co_await run_.objects.get_object(bucket_, key_, {});
    if (!found) co_return std::nullopt;
    co_return saved_checkpoint{std::move(found->answer.body), found->head.last_modified};
  }

  task<void> save(std::string body) override { co_await run_.objects.put_object(bucket_, key_, std::move(body), {}); }

  task<void> remove() override {
    std::string problem;
    try {
      co_await remove_versions();
    } catch (const error& e) {
      problem = e.what();
    }
    if (!problem.empty())
      run_.seen.notices.push_back("warning: " + name() +
                                  " is not needed any more and could not be removed: " + problem);
  }

 private:
  task<void> remove_versions() {
    std::optional<std::string> key_marker;
    std::string id_marker;
    do {
      const s3::version_page page = co_await run_.objects.list_object_versions(bucket_, key_, key_marker, id_marker);
      for (const s3::listed_version& v : page.versions)
        if (v.key == key_) co_await run_.objects.delete_object(bucket_, key_, v.version_id);
      key_marker = page.next_key_marker;
      id_marker = page.next_version_id_marker;
    } while (key_marker);
  }

  run_context& run_;
  std::string bucket_;
  std::string key_;
};

class in_folder final : public checkpoint_store {
 public:
  in_folder(std::string folder, std::string name)
      : folder_(std::move(folder)), path_(folder_ / (name + ".json")), draft_(folder_ / (name + ".new")) {}

  [[nodiscard]] std::string name() const override { return path_.string(); }

  task<std::optional<saved_checkpoint>> load() override {
    std::error_code e;
    const auto size = fs::file_size(path_, e);
    if (e) co_return std::nullopt;
    std::string body(size, '\0');
    std::ifstream file(path_, std::ios::binary);
    file.read(body.data(), static_cast<std::streamsize>(size));
    if (!file) throw error("cannot read " + path_.string());
    struct stat times{};
    ::stat(path_.c_str(), &times);
    const auto seconds = s3::time_point{std::chrono::seconds{times.st_mtim.tv_sec}};
    co_return saved_checkpoint{std::move(body), seconds + std::chrono::milliseconds{times.st_mtim.tv_nsec / 1'000'000}};
  }

  task<void> save(std::string body) override {
    std::error_code e;
    if (fs::create_directories(folder_, e)) fs::permissions(folder_, fs::perms::owner_all, e);
    std::ofstream file(draft_, std::ios::binary | std::ios::trunc);
    file.write(body.data(), static_cast<std::streamsize>(body.size()));
    file.close();
    if (!file) throw error("cannot write " + draft_.string());
    fs::rename(draft_, path_, e);
    if (e) throw error("cannot write " + path_.string() + ": " + e.message());
    co_return;
  }

  task<void> remove() override {
    std::error_code ignored;
    fs::remove(draft_, ignored);
    fs::remove(path_, ignored);
    co_return;
  }

 private:
  fs::path folder_, path_, draft_;
};

}  // namespace

std::unique_ptr<checkpoint_store> checkpoint_in_bucket(run_context& run, std::string bucket, std::string key) {
  return std::make_unique<in_bucket>(run, std::move(bucket), std::move(key));
}

std::unique_ptr<checkpoint_store> checkpoint_in_folder(std::string folder, std::string name) {
  return std::make_unique<in_folder>(std::move(folder), std::move(name));
}

}  // namespace dynabackup::pipelines
