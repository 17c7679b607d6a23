#include "control/sources/transfer/zone_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/temp_folder.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

const std::string kFiled = "rpz.example";

std::string content(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

std::vector<ZoneDifference> change(std::uint32_t from) {
    const std::string name = "n" + std::to_string(from) + " 60 CNAME .\n";
    return {difference(from, soa(from), from + 1, soa(from + 1) + name, kFiled)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(zone_file)

BOOST_AUTO_TEST_CASE(an_image_and_its_changes_are_read_back) {
    const steer::test::TempFolder folder;
    const std::string path = folder / "zone.kept";
    ZoneFile file(path);
    BOOST_TEST(!*file.load(wire(kFiled)));
    const auto image = image_of(soa(1) + "a 60 CNAME .\n", kFiled);
    BOOST_REQUIRE(file.save(wire(kFiled), *image));
    BOOST_REQUIRE(file.append(change(1)));
    BOOST_REQUIRE(file.append(change(2)));

    ZoneFile again(path);
    const auto kept = again.load(wire(kFiled));
    BOOST_REQUIRE(kept && *kept);
    BOOST_TEST((*kept)->image->records() == 2U);
    BOOST_REQUIRE_EQUAL((*kept)->changes.size(), 2U);
    BOOST_TEST((*kept)->checked_s > 0U);
    // A later change stands behind them.
    BOOST_REQUIRE(again.append(change(3)));
    ZoneFile third(path);
    BOOST_TEST((*third.load(wire(kFiled)))->changes.size() == 3U);
    // A new image ends the journal.
    BOOST_REQUIRE(third.save(wire(kFiled), *image));
    ZoneFile fourth(path);
    BOOST_TEST((*fourth.load(wire(kFiled)))->changes.empty());
}

BOOST_AUTO_TEST_CASE(a_torn_journal_ends_with_its_last_whole_change) {
    const steer::test::TempFolder folder;
    const std::string path = folder / "zone.kept";
    ZoneFile file(path);
    BOOST_REQUIRE(file.save(wire(kFiled), *image_of(soa(1), kFiled)));
    BOOST_REQUIRE(file.append(change(1)));
    const std::size_t whole = content(path + ".changes").size();
    BOOST_REQUIRE(file.append(change(2)));
    const std::string all = content(path + ".changes");
    for (std::size_t length = whole; length < all.size(); ++length) {
        write(path + ".changes", all.substr(0, length));
        ZoneFile torn(path);
        BOOST_TEST((*torn.load(wire(kFiled)))->changes.size() == 1U);
        BOOST_REQUIRE(torn.append(change(2)));
        ZoneFile after(path);
        BOOST_TEST((*after.load(wire(kFiled)))->changes.size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_damaged_image_is_an_error_and_that_of_another_zone_is_none) {
    const steer::test::TempFolder folder;
    const std::string path = folder / "zone.kept";
    ZoneFile file(path);
    BOOST_REQUIRE(file.save(wire(kFiled), *image_of(soa(1) + "a 60 CNAME .\n", kFiled)));
    const std::string good = content(path);
    ZoneFile other(path);
    BOOST_TEST(!*other.load(wire("other.example")));
    for (const std::size_t at : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        write(path, bad);
        ZoneFile damaged(path);
        const auto kept = damaged.load(wire(kFiled));
        BOOST_TEST((!kept || !*kept));
        BOOST_TEST(std::filesystem::exists(path + ".damaged") == !kept);
        std::filesystem::remove(path + ".damaged");
    }
    write(path, good.substr(0, good.size() - 1));
    BOOST_TEST(!ZoneFile(path).load(wire(kFiled)));
}

BOOST_AUTO_TEST_CASE(what_is_no_file_in_its_place_is_an_error_and_blocks_nothing) {
    const steer::test::TempFolder folder;
    const std::string path = folder / "zone.kept";
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    BOOST_TEST(ZoneFile(path).load(wire(kFiled)).error().text ==
               path + " cannot be read: it is not a regular file");
    BOOST_REQUIRE(::unlink(path.c_str()) == 0);
    BOOST_REQUIRE(::mkdir(path.c_str(), 0700) == 0);
    BOOST_TEST(!ZoneFile(path).load(wire(kFiled)));
    BOOST_REQUIRE(::rmdir(path.c_str()) == 0);
    BOOST_REQUIRE(::symlink("/etc/hostname", path.c_str()) == 0);
    BOOST_TEST(!ZoneFile(path).load(wire(kFiled)));
    BOOST_REQUIRE(::unlink(path.c_str()) == 0);
    // The journal has no reader either.
    ZoneFile file(path);
    BOOST_REQUIRE(file.save(wire(kFiled), *image_of(soa(1), kFiled)));
    BOOST_REQUIRE(::mkfifo((path + ".changes").c_str(), 0600) == 0);
    BOOST_TEST(!file.append(change(1)));
    BOOST_TEST((*ZoneFile(path).load(wire(kFiled)))->changes.empty());
}

BOOST_AUTO_TEST_CASE(the_text_has_whole_names) {
    std::string text;
    write_zone_text(zone_of("@ 300 NS localhost.\n" + soa(7) +
                                "bad 60 CNAME .\n*.bad 60 CNAME .\nown 60 A 192.0.2.1\n"
                                "text 60 TXT hello\n",
                            kFiled),
                    [&](std::string_view piece) { text += piece; });
    BOOST_TEST(text ==
               "; Written by steerdnsd after each transfer of this zone.\n"
               "$ORIGIN rpz.example.\n"
               "rpz.example. 300 IN SOA localhost. root.localhost. 7 3600 900 2592000 300\n"
               "rpz.example. 300 IN NS localhost.\n"
               "bad.rpz.example. 60 IN CNAME .\n"
               "*.bad.rpz.example. 60 IN CNAME .\n"
               "own.rpz.example. 60 IN A 192.0.2.1\n"
               "text.rpz.example. 60 IN TXT \\# 6 0568656c6c6f\n");
}

BOOST_AUTO_TEST_CASE(differences_of_any_bytes_are_refused_or_read) {
    const Bytes good = encode_differences(change(1));
    BOOST_TEST(decode_differences(good).has_value());
    for (std::size_t length = 0; length < good.size(); ++length)
        BOOST_TEST(!decode_differences(ByteSpan(good).first(length)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
