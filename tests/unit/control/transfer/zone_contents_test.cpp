#include "control/sources/transfer/zone_contents.h"

#include <algorithm>

#include "zone_maker.h"

namespace steer::transfer::test {

BOOST_AUTO_TEST_SUITE(zone_contents)

// The example of RFC 4034 6.1.
BOOST_AUTO_TEST_CASE(names_sort_in_canonical_order) {
    std::vector<Bytes> names;
    for (const char* const name :
         {"example", "a.example", "yljkjljk.a.example", "z.a.example", "zabc.a.example",
          "z.example", "\\001.z.example", "*.z.example", "\\200.z.example"})
        names.push_back(wire(name));
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (std::size_t j = 0; j < names.size(); ++j) {
            std::string a, b;
            add_sort_key(names[i], a);
            add_sort_key(names[j], b);
            BOOST_TEST((compare_names(names[i], names[j]) < 0) == (i < j));
            BOOST_TEST((a < b) == (i < j));
        }
    }
}

BOOST_AUTO_TEST_CASE(records_in_any_order_become_a_sorted_image_without_duplicates) {
    const auto image = image_of("b 60 A 192.0.2.2\n" + soa(1) +
                                    "a 60 A 192.0.2.9\na 60 A 192.0.2.1\na 60 A 192.0.2.9\n"
                                    "a 60 AAAA 2001:db8::1\n",
                                "rpz.example");
    BOOST_TEST(image->owners() == 3U);
    BOOST_TEST(image->records() == 5U);
    const OwnerRecords a = image->find(wire("a.rpz.example"));
    std::vector<std::uint16_t> types;
    std::vector<std::uint8_t> last;
    a.for_each([&](const ZoneRecord& r) {
        types.push_back(r.type);
        last.push_back(r.rdata.back());
    });
    BOOST_TEST(types == (std::vector<std::uint16_t>{1, 1, 28}));
    BOOST_TEST(last == (std::vector<std::uint8_t>{1, 9, 1}));
    BOOST_TEST(image->find(wire("c.rpz.example")).empty());
}

BOOST_AUTO_TEST_CASE(a_stored_image_is_read_back_and_a_damaged_one_is_refused) {
    const auto image = image_of(soa(1) + "a 60 A 192.0.2.1\nb.a 60 TXT text\n", "rpz.example");
    const ByteSpan stored = image->stored();
    const Bytes zone = wire("rpz.example");
    const auto again = ZoneImage::from_stored(Bytes(stored.begin(), stored.end()), zone);
    BOOST_REQUIRE(again);
    BOOST_TEST(!ZoneImage::from_stored(Bytes(stored.begin(), stored.end()), wire("a.rpz.example")));
    BOOST_TEST((*again)->owners() == 3U);
    BOOST_TEST((*again)->records() == 3U);
    for (std::size_t length = 1; length < stored.size(); ++length) {
        const ByteSpan part = stored.first(length);
        const auto cut = ZoneImage::from_stored(Bytes(part.begin(), part.end()), zone);
        if (cut) BOOST_TEST((*cut)->owners() < 3U);  // it ends with an owner
    }
}

BOOST_AUTO_TEST_CASE(differences_change_only_their_owners) {
    ZoneContents zone = zone_of(soa(1) + "a 60 CNAME .\nb 60 CNAME .\n", "rpz.example");
    std::vector<Bytes> touched;
    const auto done =
        zone.apply({difference(1, soa(1) + "a 60 CNAME .\n", 2,
                               soa(2) + "c 60 CNAME .\nb 60 TXT more\n", "rpz.example")},
                   touched);
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().text));
    BOOST_TEST(zone.soa()->serial == 2U);
    BOOST_TEST(zone.records() == 4U);
    BOOST_TEST(names_of(zone) ==
               (std::vector<std::string>{"rpz.example", "b.rpz.example", "c.rpz.example"}));
    BOOST_TEST(touched.size() == 4U);
    BOOST_TEST(zone.find(wire("b.rpz.example")).count() == 2U);
    zone.merge();
    BOOST_TEST(zone.changed() == 0U);
    BOOST_TEST(zone.image()->records() == 4U);
    BOOST_TEST(names_of(zone) ==
               (std::vector<std::string>{"rpz.example", "b.rpz.example", "c.rpz.example"}));
}

BOOST_AUTO_TEST_CASE(differences_that_do_not_fit_change_nothing) {
    ZoneContents zone = zone_of(soa(1) + "a 60 CNAME .\n", "rpz.example");
    std::vector<Bytes> touched;
    const auto missing =
        zone.apply({difference(1, soa(1) + "x 60 CNAME .\n", 2, soa(2), "rpz.example")}, touched);
    BOOST_TEST(!missing);
    const auto twice =
        zone.apply({difference(1, soa(1), 2, soa(2) + "a 60 CNAME .\n", "rpz.example")}, touched);
    BOOST_TEST(!twice);
    const auto without = zone.apply({difference(1, soa(1), 2, "", "rpz.example")}, touched);
    BOOST_TEST(!without);
    BOOST_TEST(touched.empty());
    BOOST_TEST(zone.soa()->serial == 1U);
    BOOST_TEST(zone.records() == 2U);
}

// Takes minutes if each change costs the records of its owner.
BOOST_AUTO_TEST_CASE(many_records_of_one_owner_change_in_a_pass) {
    constexpr std::uint32_t kMany = 200'000;
    ZoneContents zone = zone_of(soa(1), "rpz.example");
    ZoneDifference many = difference(1, soa(1), 2, soa(2), "rpz.example");
    const Bytes owner = wire("a.rpz.example");
    for (std::uint32_t i = 0; i < kMany; ++i) {
        Bytes rdata;
        put32(rdata, i * 2'654'435'761U);
        many.added.push_back({owner, dns::kA, 60, std::move(rdata)});
    }
    std::vector<Bytes> touched;
    BOOST_REQUIRE(zone.apply({many}, touched));
    BOOST_TEST(zone.records() == kMany + 1);
    BOOST_TEST(zone.find(owner).count() == kMany);
    ZoneDifference back;
    back.from = 2;
    back.to = 3;
    back.removed = many.added;
    back.added = difference(2, "", 3, soa(3), "rpz.example").added;
    BOOST_REQUIRE(zone.apply({back}, touched));
    BOOST_TEST(zone.records() == 1U);
}

BOOST_AUTO_TEST_CASE(serials_wrap_around) {
    BOOST_TEST(is_newer_serial(2, 1));
    BOOST_TEST(!is_newer_serial(1, 1));
    BOOST_TEST(!is_newer_serial(1, 2));
    BOOST_TEST(is_newer_serial(5, 0xfffffff0U));
    BOOST_TEST(!is_newer_serial(0xfffffff0U, 5));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
