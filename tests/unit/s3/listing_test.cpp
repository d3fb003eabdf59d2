#include "s3/listing.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

namespace dynabackup::s3 {
namespace {

const std::string declaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";

std::string list_of(std::string_view children) {
  return declaration + "\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         std::string(children) + "</ListBucketResult>";
}

std::string versions_of(std::string_view children) {
  return declaration + "\n<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         std::string(children) + "</ListVersionsResult>";
}

time_point at(std::int64_t milliseconds) { return time_point(std::chrono::milliseconds(milliseconds)); }

const std::string aws_page = list_of(
    R"(<Name>b</Name><Prefix>p%2F</Prefix><NextContinuationToken>1ueGcxLPRx1Tr/+xyz=</NextContinuationToken>)"
    R"(<KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>)"
    R"(<Contents><Key>p/a+b%2Bc%00</Key><LastModified>2026-11-22T11:45:03.000Z</LastModified>)"
    R"(<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>)"
    R"(<Size>434234</Size><StorageClass>STANDARD</StorageClass></Contents>)"
    R"(<Contents><Key>p/z</Key><LastModified>2026-11-22T11:45:04.000Z</LastModified>)"
    R"(<ETag>"d41d8cd98f00b204e9800998ecf8427e-3"</ETag><Size>0</Size></Contents>)"
    R"(<CommonPrefixes><Prefix>p/sub+dir/</Prefix></CommonPrefixes>)"
    R"(<CommonPrefixes><Prefix>p/x/</Prefix></CommonPrefixes>)");

TEST_CASE("a page of AWS: keys are decoded, the token is not") {
  const list_page page = read_list_page(aws_page);
  REQUIRE(page.objects.size() == 2);
  CHECK(page.objects[0].key == std::string("p/a b+c\0", 8));
  CHECK(page.objects[0].etag == "fba9dede5f27731c9771645a39863328");
  CHECK(page.objects[0].size == 434234);
  CHECK(page.objects[0].last_modified == at(1795347903000));
  CHECK(page.objects[1].etag == "d41d8cd98f00b204e9800998ecf8427e-3");
  CHECK(page.common_prefixes == std::vector<std::string>{"p/sub dir/", "p/x/"});
  CHECK(page.next == "1ueGcxLPRx1Tr/+xyz=");
}

TEST_CASE("keys are only decoded where the answer says that they are encoded") {
  const list_page page = read_list_page(
      list_of("<IsTruncated>false</IsTruncated><Contents><Key>a+b%20&amp;</Key>"
              "<LastModified>2026-11-22T11:45:03Z</LastModified><ETag>x</ETag><Size>1</Size></Contents>"));
  CHECK(page.objects.at(0).key == "a+b%20&");
  CHECK(page.objects.at(0).etag == "x");
  CHECK_FALSE(page.next);
}

TEST_CASE("a page of Ceph, which puts the token last") {
  const list_page page = read_list_page(list_of(
      "<EncodingType>url</EncodingType><Name>bkt1</Name><Prefix>a+b/</Prefix><MaxKeys>1</MaxKeys>"
      "<IsTruncated>true</IsTruncated><Contents><Key>a%2Bb%2Fk3</Key>"
      "<LastModified>2026-11-22T14:06:49.614Z</LastModified><ETag>&quot;1b267619c4812cc46ee281747884ca50&quot;</ETag>"
      "<Size>2</Size><StorageClass>STANDARD</StorageClass><Type>Normal</Type></Contents>"
      "<NextContinuationToken>a+b/k3</NextContinuationToken><KeyCount>1</KeyCount>"));
  CHECK(page.objects.at(0).key == "a+b/k3");
  CHECK(page.next == "a+b/k3");
}

TEST_CASE("an empty list") {
  const list_page page = read_list_page(list_of("<IsTruncated>false</IsTruncated><KeyCount>0</KeyCount>"));
  CHECK(page.objects.empty());
  CHECK_FALSE(page.next);
}

TEST_CASE("what is not a whole list is refused") {
  const std::string entry =
      "<Contents><Key>k</Key><LastModified>2026-11-22T11:45:03Z</LastModified><ETag>x</ETag><Size>1</Size></Contents>";
  const auto without = [&](std::string_view part) {
    std::string text = entry;
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return list_of("<IsTruncated>false</IsTruncated>" + text.erase(at, part.size()));
  };
  const std::string whole = list_of("<IsTruncated>false</IsTruncated>" + entry);
  CHECK(read_list_page(whole).objects.size() == 1);
  for (const std::string& body : {
           std::string(),
           std::string("{}"),
           list_of(""),
           list_of("<IsTruncated>maybe</IsTruncated>"),
           list_of("<IsTruncated>true</IsTruncated>"),
           list_of("<IsTruncated>true</IsTruncated><NextContinuationToken/>"),
           without("<Key>k</Key>"),
           without("<Size>1</Size>"),
           without("<LastModified>2026-11-22T11:45:03Z</LastModified>"),
           list_of("<IsTruncated>false</IsTruncated><Contents><Key>k</Key><LastModified>yesterday</LastModified>"
                   "<Size>1</Size></Contents>"),
           list_of("<IsTruncated>false</IsTruncated><Contents><Key>k</Key>"
                   "<LastModified>2026-11-22T11:45:03Z</LastModified><Size>-1</Size></Contents>"),
           versions_of("<IsTruncated>false</IsTruncated>"),
           whole + whole,
           std::string("<Error><Code>InternalError</Code></Error>"),
       }) {
    CAPTURE(body);
    CHECK_THROWS_AS(read_list_page(body), format_error);
  }
}

TEST_CASE("a list cut at any byte is refused") {
  for (std::size_t length = 0; length < aws_page.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(read_list_page(std::string_view(aws_page).substr(0, length)), format_error);
  }
}

const std::string version_entries =
    "<DeleteMarker><Key>a%2Bb%2Fk2</Key><VersionId>Y6p</VersionId><IsLatest>true</IsLatest>"
    "<LastModified>2026-11-22T14:06:49.645Z</LastModified><Owner><ID>test</ID></Owner></DeleteMarker>"
    "<Version><Key>a%2Bb%2Fk2</Key><VersionId>null</VersionId><IsLatest>false</IsLatest>"
    "<LastModified>2026-11-22T14:06:48.000Z</LastModified><ETag>&quot;1b26&quot;</ETag><Size>2</Size></Version>";

TEST_CASE("versions and delete markers come in the order of the answer") {
  const version_page page = read_version_page(
      versions_of("<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>" + version_entries));
  REQUIRE(page.versions.size() == 2);
  CHECK(page.versions[0].delete_marker);
  CHECK(page.versions[0].is_latest);
  CHECK(page.versions[0].key == "a+b/k2");
  CHECK(page.versions[0].version_id == "Y6p");
  CHECK(page.versions[0].last_modified == at(1795356409645));
  CHECK(page.versions[0].etag.empty());
  CHECK_FALSE(page.versions[1].delete_marker);
  CHECK_FALSE(page.versions[1].is_latest);
  CHECK(page.versions[1].version_id == "null");
  CHECK(page.versions[1].etag == "1b26");
  CHECK(page.versions[1].size == 2);
  CHECK_FALSE(page.next_key_marker);
}

TEST_CASE("the next key marker is decoded as AWS encodes it, and taken as it stands from Ceph") {
  const auto marker_of = [](std::string_view marker) {
    return read_version_page(versions_of(
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>" + std::string(marker) +
        "</NextKeyMarker><NextVersionIdMarker>Y%2B6</NextVersionIdMarker>" + version_entries));
  };
  CHECK(marker_of("a%2Bb%2Fk2").next_key_marker == "a+b/k2");
  CHECK(marker_of("a%2Bb/k2").next_key_marker == "a+b/k2");
  CHECK(marker_of("a+b/k2").next_key_marker == "a+b/k2");
  CHECK(marker_of("a+b%2Fk3").next_key_marker == "a b/k3");
  CHECK(marker_of("a+b/k2").next_version_id_marker == "Y%2B6");
}

TEST_CASE("what is not a whole list of versions is refused") {
  const std::string head = "<IsTruncated>false</IsTruncated>";
  for (const std::string& body : {
           list_of(head),
           versions_of(version_entries),
           versions_of("<IsTruncated>true</IsTruncated>" + version_entries),
           versions_of(head + "<Version><Key>k</Key><IsLatest>true</IsLatest>"
                              "<LastModified>2026-11-22T14:06:49Z</LastModified><Size>1</Size></Version>"),
           versions_of(head + "<Version><Key>k</Key><VersionId>1</VersionId>"
                              "<LastModified>2026-11-22T14:06:49Z</LastModified><Size>1</Size></Version>"),
           versions_of(head + "<Version><Key>k</Key><VersionId>1</VersionId><IsLatest>true</IsLatest>"
                              "<LastModified>2026-11-22T14:06:49Z</LastModified></Version>"),
           versions_of(head + "<DeleteMarker><Key>k</Key><VersionId>1</VersionId><IsLatest>true</IsLatest>"
                              "</DeleteMarker>"),
       }) {
    CAPTURE(body);
    CHECK_THROWS_AS(read_version_page(body), format_error);
  }
}

TEST_CASE("deep nesting and declared entities do no harm") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  CHECK_THROWS_AS(read_list_page(list_of(deep)), format_error);
  const std::string bomb =
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
      "<ListBucketResult><IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>&b;</Prefix></CommonPrefixes>"
      "</ListBucketResult>";
  CHECK(read_list_page(bomb).common_prefixes == std::vector<std::string>{"&b;"});
}

}  // namespace
}  // namespace dynabackup::s3
