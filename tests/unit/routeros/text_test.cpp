// The forms of times, addresses, ids and comments, and the sentences made of them.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <set>

#include "routeros/add_script.h"
#include "routeros/address.h"
#include "routeros/commands.h"
#include "routeros/comment.h"
#include "routeros/keyed_hash.h"
#include "routeros/time_text.h"
#include "routeros/wire.h"

namespace steer::routeros {
namespace {

std::vector<std::string> words_of(const Command& command) {
    std::string bytes = command.words();
    append_end(bytes);
    Decoder decoder;
    decoder.feed(bytes);
    std::vector<std::string_view> words;
    BOOST_REQUIRE((decoder.next(words) == Decoder::Status::sentence));
    return {words.begin(), words.end()};
}

using Words = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(times_are_written_without_zero_units) {
    BOOST_TEST(time_text(0) == "0s");
    BOOST_TEST(time_text(59) == "59s");
    BOOST_TEST(time_text(60) == "1m");
    BOOST_TEST(time_text(3600) == "1h");
    BOOST_TEST(time_text(86399) == "23h59m59s");
    BOOST_TEST(time_text(4 * 604800 + 2 * 86400) == "4w2d");
    BOOST_TEST(time_text(kMaxTimeoutS) == "35w3d13h13m56s");
}

BOOST_AUTO_TEST_CASE(times_are_read_in_all_forms) {
    const std::pair<const char*, std::uint64_t> good[] = {
        {"0s", 0},
        {"4d15h20m38s", 4 * 86400 + 15 * 3600 + 20 * 60 + 38},
        {"1w2d3h4m5s", 788645},
        {"3600", 3600},
        {"3600s", 3600},
        {"01:00:00", 3600},
        {"00:01:30", 90},
        {"1w2d03:04:05", 788645},
        {"1h30m", 5400},
        {"1s500ms", 1},
        {"500ms", 0},
        {"1.5s", 1},
        {"00:00:01.25", 1}};
    for (const auto& [text, seconds] : good) {
        BOOST_TEST_INFO(text);
        BOOST_TEST((parse_time(text) == std::optional<std::uint64_t>{seconds}));
    }
    for (const char* text : {"", "never", "s", "1x", "1h30", "-1s", "1:99:00", "1::2",
                             "99999999999999999999s", "1m "}) {
        BOOST_TEST_INFO(text);
        BOOST_TEST(!parse_time(text));
    }
    for (std::uint64_t s = 0; s < 4'000'000; s = s * 3 / 2 + 1)
        BOOST_TEST((parse_time(time_text(s)) == std::optional{s}));
}

BOOST_AUTO_TEST_CASE(addresses_have_one_form) {
    const std::pair<const char*, const char*> forms[] = {
        {"192.0.34.166/32", "192.0.34.166"},
        {"10.0.0.1", "10.0.0.1"},
        {"1.1.1.1/24", "1.1.1.0/24"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:DB8::1", "2001:db8::1/128"},
        {"2606:4700:4700:0:0:0:0:1111", "2606:4700:4700::1111/128"},
        {"::/0", "::/0"},
        {"2001:db8::ffff/32", "2001:db8::/32"},
        {"::1", "::1/128"},
        {"fe80::", "fe80::/128"},
        {"1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0/128"},
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3/128"},
        {"::2:0:0:3:4:5", "::2:0:0:3:4:5/128"},
        {"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0/128"}};
    for (const auto& [text, form] : forms) {
        const auto address = Address::parse(text);
        BOOST_TEST_INFO(text);
        BOOST_REQUIRE(address);
        BOOST_TEST(address->to_string() == form);
        BOOST_TEST((Address::parse(address->menu(), form) == address));
    }
    for (const char* text :
         {"", "10.0.0.0-10.0.0.9", "one.one.one.one", "10.0.0.1/33", "10.0.0.1/", "::ffff:1.2.3.4",
          "1.2.3", "2001:db8::/129", "1.2.3.4/-1", "fe80::1%eth0"}) {
        BOOST_TEST_INFO(text);
        BOOST_TEST(!Address::parse(text));
    }
    BOOST_TEST(!Address::parse(Menu::ipv6, "10.0.0.1"));
    BOOST_TEST(!Address::parse(Menu::ip, "2001:db8::1"));
    BOOST_TEST((Address::parse("10.0.0.0/8")->menu() == Menu::ip));
    BOOST_TEST((Address::parse("::/0")->menu() == Menu::ipv6));
    BOOST_TEST(!Address::parse("10.0.0.0/8")->is_host());
}

// IPv6 addresses for which (h ^ h>>32 ^ low)·B is 0 with h = (high ^ 128<<56)·A: one value for all
// in a hash without a secret.
std::vector<Address> prepared_addresses(std::uint32_t count) {
    std::vector<Address> addresses;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t high = 0x2aU | std::uint64_t{i} << 24;
        const std::uint64_t product = (high ^ std::uint64_t{128} << 56) * 0x9e3779b97f4a7c15ULL;
        const std::uint64_t low = product ^ product >> 32;
        AddressBytes bytes;
        std::memcpy(bytes.data(), &high, sizeof high);
        std::memcpy(bytes.data() + 8, &low, sizeof low);
        addresses.push_back(Address::host(bytes));
    }
    return addresses;
}

BOOST_AUTO_TEST_CASE(prepared_addresses_have_different_hashes) {
    const auto addresses = prepared_addresses(4096);
    std::set<std::size_t> hashes;
    for (const Address& address : addresses)
        hashes.insert(AddressHash{}(address));
    BOOST_TEST(hashes.size() == addresses.size());
}

BOOST_AUTO_TEST_CASE(hashes_depend_on_the_secret) {
    const std::size_t first = keyed_hash(1, 2, 3);
    use_hash_secret(2);
    const std::size_t second = keyed_hash(1, 2, 3);
    use_hash_secret(1);  // as in lab.cpp
    BOOST_TEST(first != second);
    BOOST_TEST(keyed_hash(1, 2, 3) == first);
}

BOOST_AUTO_TEST_CASE(ids_are_upper_case_hexadecimal) {
    BOOST_TEST(row_id_text(0xc4c) == "*C4C");
    BOOST_TEST(parse_row_id("*C4C") == 0xc4cU);
    for (const char* text : {"", "*", "1D", "*1G", "*-1", "*11111111111111111"})
        BOOST_TEST(parse_row_id(text) == 0U);
}

BOOST_AUTO_TEST_CASE(comments_have_the_form_of_forgedns) {
    BOOST_TEST(row_comment("forgedns", "ros_policy", RowKind::dynamic, "www.stream.example.") ==
               "forgedns;pg=ros_policy;kind=D;dm=www.stream.example");
    BOOST_TEST(row_comment("fdns", "t", RowKind::persistent) == "fdns;pg=t;kind=P");
    const auto facts = parse_comment("fdns", "fdns;pg=t;kind=D;dm=a.example");
    BOOST_REQUIRE(facts);
    BOOST_TEST(facts->tag == "t");
    BOOST_TEST(facts->name == "a.example");
    BOOST_TEST((facts->kind == RowKind::dynamic));
    BOOST_TEST((parse_comment("fdns", "fdns; kind=P ;pg= t ")->kind == RowKind::persistent));
    for (const char* text : {"", "fdns", "fdns;pg=t", "fdns;kind=D", "fdnsx;pg=t;kind=D",
                             "x fdns;pg=t;kind=D", "fdns;pg=t;kind=Q"}) {
        BOOST_TEST_INFO(text);
        BOOST_TEST(!parse_comment("fdns", text));
    }
}

BOOST_AUTO_TEST_CASE(names_cannot_break_a_comment) {
    const std::string evil{"a;pg=x;kind=P\n\xff\0 b", 18};
    const auto comment = row_comment("fdns", "t", RowKind::dynamic, evil);
    BOOST_TEST(comment == "fdns;pg=t;kind=D;dm=a\\059pg\\061x\\059kind\\061P\\010\\255\\000\\032b");
    const auto facts = parse_comment("fdns", comment);
    BOOST_REQUIRE(facts);
    BOOST_TEST(facts->tag == "t");
    BOOST_TEST((facts->kind == RowKind::dynamic));
    const auto longest = row_comment("fdns", "t", RowKind::dynamic, std::string(5000, '\x01'));
    BOOST_TEST(longest.size() < 300U);
    BOOST_TEST(longest.ends_with("\\001"));
}

BOOST_AUTO_TEST_CASE(sentences_are_written) {
    const std::string_view lists[] = {"a", "b", "c"};
    BOOST_TEST((words_of(print_groups({Menu::ip}, lists)) ==
                Words{"/ip/firewall/address-list/print",
                      "=.proplist=.id,list,address,timeout,comment,dynamic,disabled", "?list=a",
                      "?list=b", "?#|", "?list=c", "?#|"}));
    const Address addresses[] = {*Address::parse("10.0.0.1"), *Address::parse("10.0.0.2")};
    BOOST_TEST((words_of(print_addresses({Menu::ip}, "a", addresses)) ==
                Words{"/ip/firewall/address-list/print",
                      "=.proplist=.id,list,address,timeout,comment,dynamic,disabled",
                      "?address=10.0.0.1", "?address=10.0.0.2", "?#|", "?list=a", "?#&"}));
    BOOST_TEST((words_of(add_row({Menu::ipv6}, "a", *Address::parse("2001:db8::1"), "c", {60})) ==
                Words{"/ipv6/firewall/address-list/add", "=list=a", "=address=2001:db8::1/128",
                      "=timeout=1m", "=comment=c"}));
    BOOST_TEST(
        (words_of(add_row({Menu::ip}, "a", addresses[0], "c", {})) ==
         Words{"/ip/firewall/address-list/add", "=list=a", "=address=10.0.0.1", "=comment=c"}));
    const RowId ids[] = {0x8, 0x1d};
    BOOST_TEST((words_of(set_values({Menu::ip}, ids, {1800})) ==
                Words{"/ip/firewall/address-list/set", "=.id=*8,*1D", "=timeout=30m"}));
    BOOST_TEST((words_of(remove_rows({Menu::ipv6}, ids)) ==
                Words{"/ipv6/firewall/address-list/remove", "=.id=*8,*1D"}));
    BOOST_TEST((words_of(listen({Menu::ip})) == Words{"/ip/firewall/address-list/listen"}));
}

BOOST_AUTO_TEST_CASE(sentences_about_routes_are_written) {
    const Table four{Menu::ip, RowType::route}, six{Menu::ipv6, RowType::route};
    const std::string_view tables[] = {"vpn"};
    const std::string proplist =
        "=.proplist=.id,routing-table,dst-address,gateway,distance,comment,dynamic,disabled,"
        "inactive";
    BOOST_TEST((words_of(print_groups(four, tables)) ==
                Words{"/ip/route/print", proplist, "?routing-table=vpn"}));
    const Address addresses[] = {*Address::parse("10.0.0.1"), *Address::parse("10.1.0.0/16")};
    BOOST_TEST((words_of(print_addresses(four, "vpn", addresses)) ==
                Words{"/ip/route/print", proplist, "?dst-address=10.0.0.1/32",
                      "?dst-address=10.1.0.0/16", "?#|", "?routing-table=vpn", "?#&"}));
    const std::vector<std::string> properties{"wg1", "100"};
    const RowValues values{.properties = properties};
    BOOST_TEST((words_of(add_row(six, "vpn", *Address::parse("2001:db8::1"), "c", values)) ==
                Words{"/ipv6/route/add", "=routing-table=vpn", "=dst-address=2001:db8::1/128",
                      "=gateway=wg1", "=distance=100", "=comment=c"}));
    const RowId ids[] = {0x8, 0x1d};
    BOOST_TEST((words_of(set_values(four, ids, values)) ==
                Words{"/ip/route/set", "=.id=*8,*1D", "=gateway=wg1", "=distance=100"}));
    BOOST_TEST((words_of(remove_rows(four, ids)) == Words{"/ip/route/remove", "=.id=*8,*1D"}));
    AddScript script{four};
    BOOST_TEST(script.add("vpn", addresses[0], "c", values));
    BOOST_TEST((words_of(script.command())[1] ==
                "=script=:do {:put (\"0 \".[/ip route add routing-table=\"vpn\" "
                "dst-address=10.0.0.1/32 gateway=\"wg1\" distance=100 comment=\"c\"])} "
                "on-error={:put \"0 !\"}\n"));
}

BOOST_AUTO_TEST_CASE(strings_in_scripts_keep_their_bytes) {
    BOOST_TEST(*script_string("a b;=[]{}'") == "\"a b;=[]{}'\"");
    BOOST_TEST(*script_string("\"$x\\?") == "\"\\\"\\$x\\\\\\?\"");
    BOOST_TEST(*script_string("\n\x7f\xc3\xa4") == "\"\\0A\\7F\\C3\\A4\"");
    BOOST_TEST(!script_string(std::string_view{"a\0b", 3}).has_value());
}

BOOST_AUTO_TEST_CASE(a_script_of_adds_is_written) {
    AddScript script{{Menu::ip}};
    BOOST_TEST(script.add("l", *Address::parse("192.0.2.1"), "c", {90}));
    BOOST_TEST(script.add("l", *Address::parse("192.0.2.0/24"), "c", {}));
    BOOST_TEST(!script.add("l", *Address::parse("192.0.2.2"), {"\0", 1}, {}));
    BOOST_TEST(script.rows() == 2U);
    BOOST_TEST((words_of(script.command()) ==
                Words{"/execute",
                      "=script=:do {:put (\"0 \".[/ip firewall address-list add list=\"l\" "
                      "address=192.0.2.1 timeout=1m30s comment=\"c\"])} on-error={:put \"0 !\"}\n"
                      ":do {:put (\"1 \".[/ip firewall address-list add list=\"l\" "
                      "address=192.0.2.0/24 comment=\"c\"])} on-error={:put \"1 !\"}\n",
                      "=as-string="}));
    const std::string long_name(250, '$');
    while (script.add("l", *Address::parse("192.0.2.3"), long_name, {60})) {
    }
    BOOST_TEST(script.rows() > 30U);
    BOOST_TEST(script.command().words().size() <= kMaxScriptBytes + 40);
}

BOOST_AUTO_TEST_CASE(the_output_of_scripts_is_parsed) {
    const auto read = [](std::string_view output) {
        std::string out;
        for (const auto& result : parse_add_output(output, 3)) {
            out += result.kind == AddResult::Kind::unknown   ? "?"
                   : result.kind == AddResult::Kind::refused ? "!"
                                                             : row_id_text(result.row);
            out += ' ';
        }
        return out;
    };
    BOOST_TEST(read("0 *1A\n1 !\n2 *1C") == "*1A ! *1C ");
    BOOST_TEST(read("0 *1A\r\n1 !\r\n2 *1C\r\n") == "*1A ! *1C ");
    BOOST_TEST(read("0 *1A\n2 *1C\n1 !") == "*1A ? ? ");
    BOOST_TEST(read("0 *1A\n1 ") == "*1A ? ? ");
    BOOST_TEST(read("0 *1A\n1 *0\n2 *1C") == "*1A ? ? ");
    BOOST_TEST(read("0 *1A,*1B\n1 !\n2 *1C") == "? ? ? ");
    BOOST_TEST(read("syntax error (line 1 column 6)") == "? ? ? ");
    BOOST_TEST(read("") == "? ? ? ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros
