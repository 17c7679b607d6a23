// The public suffix list of the machine: what a missing, wrong or new file changes.
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "control/program/reload/suffix_file.h"
#include "matchers/suffix/public_suffixes.h"
#include "support/temp_folder.h"

using namespace steer;
using matchers::PublicSuffixes;

BOOST_AUTO_TEST_SUITE(suffix_file)

BOOST_AUTO_TEST_CASE(the_last_good_file_stays_in_force) {
    const test::TempFolder folder;
    const std::string file = folder / "list.dat";
    const auto write = [&folder](std::string_view text) { folder.write("list.dat", text); };
    PublicSuffixes::publish({});
    auto warnings = take_up_suffix_file(file);
    BOOST_REQUIRE_EQUAL(warnings.size(), 1U);
    BOOST_TEST(
        warnings[0].sentence().starts_with(file + ": the public suffix list cannot be read"));
    BOOST_TEST(PublicSuffixes::current().domain_of("www.bbc.co.uk") == "co.uk");

    write("uk\nco.uk\n");
    BOOST_TEST(take_up_suffix_file(file).empty());
    BOOST_TEST(PublicSuffixes::current().domain_of("www.bbc.co.uk") == "bbc.co.uk");
    const PublicSuffixes* const table = &PublicSuffixes::current();
    BOOST_TEST(take_up_suffix_file(file).empty());
    BOOST_TEST(&PublicSuffixes::current() == table, "the same text is compiled once");

    write("uk\nco..uk\n");
    warnings = take_up_suffix_file(file);
    BOOST_REQUIRE_EQUAL(warnings.size(), 1U);
    BOOST_TEST(warnings[0].sentence().starts_with(file + ":2: the rule \"co..uk\""));
    BOOST_TEST(&PublicSuffixes::current() == table);

    write("com\n");
    BOOST_TEST(take_up_suffix_file(file).empty());
    BOOST_TEST(PublicSuffixes::current().domain_of("www.bbc.co.uk") == "co.uk");
    PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_CASE(the_list_of_the_package_is_read_whole) {
    BOOST_TEST_REQUIRE(take_up_suffix_file().empty());
    const PublicSuffixes& table = PublicSuffixes::current();
    BOOST_TEST(table.size() > 5'000U);
    const auto domain = [&table](std::string_view name) { return table.domain_of(name); };
    BOOST_TEST(domain("www.bbc.co.uk") == "bbc.co.uk");
    BOOST_TEST(domain("a.b.example.com.br") == "example.com.br");
    BOOST_TEST(domain("a.pages.github.io") == "pages.github.io");
    BOOST_TEST(domain("a.www.ck") == "www.ck");
    BOOST_TEST(domain("a.b.c.kawasaki.jp") == "b.c.kawasaki.jp");
    BOOST_TEST(domain("www.xn--85x722f.xn--55qx5d.cn") == "xn--85x722f.xn--55qx5d.cn");
    BOOST_TEST(domain("5.2.0.192.in-addr.arpa") == "192.in-addr.arpa");
    using matchers::DomainLevel;
    BOOST_TEST(table.keys(std::string_view("x.d111.cloudfront.net"))[DomainLevel::platform] != 0U);
    BOOST_TEST(table.keys(std::string_view("www.bbc.co.uk"))[DomainLevel::platform] == 0U);
    PublicSuffixes::publish({});
}

BOOST_AUTO_TEST_SUITE_END()
