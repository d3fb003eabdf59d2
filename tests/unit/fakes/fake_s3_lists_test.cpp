#include <algorithm>
#include <doctest/doctest.h>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "s3/listing.hpp"
#include "unit/fakes/s3_fixture.hpp"

namespace dynabackup::fakes {
namespace {

/// All pages of a list of objects, keys and common prefixes as they come.
texts list_all(s3_fixture& f, const std::string& query) {
  texts found;
  std::string token;
  for (int page = 0; page < 100; ++page) {
    const std::string more = token.empty() ? "" : "&continuation-token=" + token;
    const xml_answer list(f.send("GET", "/v?list-type=2" + query + more));
    for (const std::string& key : list.each("Contents", "Key")) found.push_back(key);
    for (const std::string& prefix : list.each("CommonPrefixes", "Prefix")) found.push_back(prefix);
    if (list.text("IsTruncated") == "false") return found;
    token = list.text("NextContinuationToken");
    for (std::size_t at = 0; (at = token.find_first_of("+=", at)) != std::string::npos; at += 3) {
      token.replace(at, 1, token[at] == '+' ? "%2B" : "%3D");
    }
  }
  FAIL("the list does not end");
  return found;
}

/// Key, id and kind of every version, page after page.
texts list_versions(s3_fixture& f, const std::string& query) {
  texts found;
  std::string markers;
  for (int page = 0; page < 100; ++page) {
    const response answer = f.send("GET", "/v?versions&encoding-type=url" + query + markers);
    const s3::version_page list = s3::read_version_page(answer.body);
    for (const s3::listed_version& v : list.versions) {
      found.push_back(v.key + (v.delete_marker ? "-" : "+") + (v.is_latest ? "!" : "") + v.version_id);
    }
    if (!list.next_key_marker) return found;
    markers = "&key-marker=" + *list.next_key_marker;
    if (!list.next_version_id_marker.empty()) markers += "&version-id-marker=" + list.next_version_id_marker;
  }
  FAIL("the list does not end");
  return found;
}

TEST_CASE_FIXTURE(s3_fixture, "a list holds the current objects in byte order, page after page") {
  for (const char* key : {"b", "a/2", "a/1", "\xc3\xa9", "B", "gone"}) s3.put("v", key, "x", {});
  s3.remove("v", "gone");
  const texts all{"B", "a/1", "a/2", "b", "\xc3\xa9"};
  for (const char* size : {"", "&max-keys=1", "&max-keys=2", "&max-keys=5"}) CHECK(list_all(*this, size) == all);
  CHECK(list_all(*this, "&prefix=a/&max-keys=1") == texts{"a/1", "a/2"});
  CHECK(list_all(*this, "&start-after=a/1&max-keys=1") == texts{"a/2", "b", "\xc3\xa9"});
  CHECK(list_all(*this, "&prefix=a/&start-after=B") == texts{"a/1", "a/2"});
  CHECK(list_all(*this, "&prefix=zzz").empty());
}

TEST_CASE_FIXTURE(s3_fixture, "a list says how many keys it has and when it goes on") {
  s3.put("v", "a", "hello", {});
  s3.put("v", "b", "x", {});
  const xml_answer page(send("GET", "/v?list-type=2&max-keys=1"));
  CHECK(page.text("IsTruncated") == "true");
  CHECK(page.text("KeyCount") == "1");
  const pugi::xml_node entry = page.root().child("Contents");
  CHECK(entry.child_value("ETag") == std::string("\"5d41402abc4b2a76b9719d911017c592\""));
  CHECK(entry.child_value("Size") == std::string("5"));
  CHECK(entry.child_value("LastModified") == std::string("2026-11-22T11:45:03.000Z"));
  const xml_answer none(send("GET", "/v?list-type=2&max-keys=0"));
  CHECK(none.text("IsTruncated") == "false");
  CHECK(none.text("KeyCount") == "0");
  CHECK(code_of(send("GET", "/v?list-type=2&max-keys=-1")) == "InvalidArgument");
  CHECK(code_of(send("GET", "/v?list-type=2&continuation-token=abc")) == "InvalidArgument");
  CHECK(code_of(send("GET", "/none?list-type=2")) == "NoSuchBucket");
}

TEST_CASE_FIXTURE(s3_fixture, "a delimiter folds keys into common prefixes, each counting once") {
  for (const char* key : {"a", "d/1", "d/2", "d/e/3", "e/1", "f"}) s3.put("v", key, "x", {});
  s3.put("v", "h/1", "x", {});
  s3.remove("v", "h/1");
  CHECK(list_all(*this, "&delimiter=/") == texts{"a", "f", "d/", "e/"});
  CHECK(list_all(*this, "&delimiter=/&max-keys=1") == texts{"a", "d/", "e/", "f"});
  CHECK(list_all(*this, "&delimiter=/&prefix=d/&max-keys=2") == texts{"d/1", "d/2", "d/e/"});
}

TEST_CASE_FIXTURE(s3_fixture, "encoding-type=url carries any key; without it XML's own characters are escaped") {
  const std::string key = "p/a+b %&<\x01\xff";
  s3.put("v", key, "x", {});
  const xml_answer encoded(send("GET", "/v?list-type=2&encoding-type=url"));
  CHECK(encoded.each("Contents", "Key") == texts{"p/a%2Bb+%25%26%3C%01%FF"});
  const s3::list_page page = s3::read_list_page(send("GET", "/v?list-type=2&encoding-type=url&prefix=p%2Fa%2Bb").body);
  REQUIRE(page.objects.size() == 1);
  CHECK(page.objects[0].key == key);
  s3.put("u", "a<&", "x", {});
  CHECK(xml_answer(send("GET", "/u?list-type=2")).each("Contents", "Key") == texts{"a<&"});
  CHECK(code_of(send("GET", "/v?list-type=2&encoding-type=gzip")) == "InvalidArgument");
}

TEST_CASE_FIXTURE(s3_fixture, "thousands of keys stay in order while some come and others go") {
  constexpr std::size_t count = 5000;
  const auto key = [](std::size_t i) { return "k" + std::to_string(i * 7919 % count); };
  std::set<std::string> expected;
  for (std::size_t i = 0; i < count; ++i) {
    put("/u/" + key(i), key(i));
    expected.insert(key(i));
    if (i % 3 != 2) continue;
    CHECK(send("DELETE", "/u/" + key(i - 1)).status == 204);
    expected.erase(key(i - 1));
  }
  std::vector<std::string> listed;
  s3.for_each_key("u", [&](const std::string& k, std::size_t versions, const std::string&) {
    CHECK(versions == 1);
    listed.push_back(k);
  });
  CHECK(std::ranges::equal(listed, expected));
  for (std::size_t i = 0; i < count; ++i) {
    const response got = send("GET", "/u/" + key(i));
    CHECK(got.status == (expected.contains(key(i)) ? 200 : 404));
    if (got.status == 200) CHECK(got.body == key(i));
  }
}

TEST_CASE("a store may answer smaller pages than asked for") {
  s3_fixture f({.list_page = 2});
  for (const char* key : {"a", "b", "c", "d", "e"}) f.s3.put("v", key, "x", {});
  CHECK(xml_answer(f.send("GET", "/v?list-type=2")).each("Contents", "Key") == texts{"a", "b"});
  CHECK(list_all(f, "").size() == 5);
  CHECK(list_versions(f, "").size() == 5);
}

TEST_CASE_FIXTURE(s3_fixture, "versions come in key order, newest first, through pages of any size") {
  const std::string a1 = s3.put("v", "a", "1", {});
  const std::string b1 = s3.put("v", "b", "1", {});
  const std::string a2 = s3.put("v", "a", "2", {});
  const std::string a3 = s3.remove("v", "a");
  const std::string b2 = s3.put("v", "b", "2", {});
  const std::string p1 = s3.put("v", "p/c", "1", {});
  const texts all{"a-!" + a3, "a+" + a2, "a+" + a1, "b+!" + b2, "b+" + b1, "p/c+!" + p1};
  for (const char* size : {"", "&max-keys=1", "&max-keys=2", "&max-keys=3", "&max-keys=4", "&max-keys=6"}) {
    CAPTURE(size);
    CHECK(list_versions(*this, size) == all);
  }
  CHECK(list_versions(*this, "&prefix=p") == texts{"p/c+!" + p1});
  CHECK(list_versions(*this, "&key-marker=a") == texts{"b+!" + b2, "b+" + b1, "p/c+!" + p1});
  CHECK(code_of(send("GET", "/v?versions&version-id-marker=" + a1)) == "InvalidArgument");
}

TEST_CASE_FIXTURE(s3_fixture, "a page of versions goes on behind a version that has gone meanwhile") {
  const std::string first = s3.put("v", "a", "1", {});
  const std::string second = s3.put("v", "a", "2", {});
  const std::string third = s3.put("v", "a", "3", {});
  send("DELETE", "/v/a?versionId=" + second);
  CHECK(list_versions(*this, "&key-marker=a&version-id-marker=" + second) == texts{"a+" + first});
  send("DELETE", "/v/a?versionId=" + first);
  send("DELETE", "/v/a?versionId=" + third);
  CHECK(list_versions(*this, "&key-marker=a&version-id-marker=" + second).empty());
}

TEST_CASE_FIXTURE(s3_fixture, "versions fold into common prefixes too") {
  for (const char* key : {"a", "d/1", "d/1", "d/2", "e"}) s3.put("v", key, "x", {});
  const xml_answer first(send("GET", "/v?versions&delimiter=/&max-keys=2"));
  CHECK(first.each("Version", "Key") == texts{"a"});
  CHECK(first.each("CommonPrefixes", "Prefix") == texts{"d/"});
  CHECK(first.text("NextKeyMarker") == "d/");
  const xml_answer second(send("GET", "/v?versions&delimiter=/&key-marker=d/"));
  CHECK(second.each("Version", "Key") == texts{"e"});
}

TEST_CASE_FIXTURE(s3_fixture, "an unversioned bucket's objects are listed as version null") {
  s3.put("u", "a", "x", {});
  CHECK(xml_answer(send("GET", "/u?versions")).each("Version", "VersionId") == texts{"null"});
}

}  // namespace
}  // namespace dynabackup::fakes
