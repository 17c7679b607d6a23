// Records in the text form of zone files; what is expected was written by hand from the RFCs.
#include "control/config/text/zone_text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace steer::config {
namespace {

std::string hex(const std::vector<std::uint8_t>& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t b : bytes) {
        out += kDigits[b >> 4];
        out += kDigits[b & 15];
    }
    return out;
}

// The RDATA of one good record, or what is wrong with it.
std::string rdata(const std::string& text) {
    const ZoneText zone = read_zone("x. " + text, "zone");
    if (zone.bad.count() > 0) return zone.bad.errors().front().text;
    return zone.records.size() == 1 ? hex(zone.records[0].record.rdata) : "nothing";
}

BOOST_AUTO_TEST_SUITE(zone_text)

BOOST_AUTO_TEST_CASE(common_types_are_parsed_as_in_their_rfcs) {
    BOOST_TEST(rdata("A 192.0.2.1") == "c0000201");
    BOOST_TEST(rdata("AAAA 2001:db8::1") == "20010db8000000000000000000000001");
    BOOST_TEST(rdata("CNAME a.b.") == "0161016200");
    BOOST_TEST(rdata("NS .") == "00");
    BOOST_TEST(rdata("PTR a\\.b.c") == "03612e62016300");
    BOOST_TEST(rdata("MX 10 a.") == "000a016100");
    BOOST_TEST(rdata("TXT \"a b\" c \"\" \"\\\"\\065\"") ==
               "03612062"
               "0163"
               "00"
               "022241");
    BOOST_TEST(rdata("SRV 0 5 5060 a.") == "0000000513c4016100");
    BOOST_TEST(rdata("SOA a. b. 1 2 3 1h 5") ==
               "016100016200000000010000000200000003"
               "00000e1000000005");
    BOOST_TEST(rdata("CAA 0 issue \"ca.example\"") ==
               "000569737375656361"
               "2e6578616d706c65");
    BOOST_TEST(rdata("TLSA 3 1 1 01 23ab") == "0301010123ab");
    BOOST_TEST(rdata("DS 258 13 2 abcd") == "01020d02abcd");
    BOOST_TEST(rdata("NAPTR 1 2 \"S\" \"a\" \"\" .") == "00010002015301610000");
    BOOST_TEST(rdata("TYPE65280 \\# 3 ab cd ef") == "abcdef");
    BOOST_TEST(rdata("TYPE65280 \\# 0") == "");
    BOOST_TEST(rdata("A \\# 4 c0000201") == "c0000201");
}

// From the RFCs' own examples where they have one.
BOOST_AUTO_TEST_CASE(less_common_types_are_parsed) {
    BOOST_TEST(rdata("HINFO PC \"L x\"") == "025043034c2078");
    BOOST_TEST(rdata("RP a. b.") == "016100016200");
    BOOST_TEST(rdata("AFSDB 1 a.") == "0001016100");
    BOOST_TEST(rdata("DNSKEY 257 3 13 AQID") == "0101030d010203");
    BOOST_TEST(rdata("CERT 1 2 3 AQID") == "0001000203010203");
    BOOST_TEST(rdata("RRSIG A 5 3 86400 20030322173103 20030220173103 2642 a. AQID") ==
               "0001050300015180"
               "3e7c9dd7"
               "3e5510d7"
               "0a52016100010203");
    BOOST_TEST(rdata("RRSIG TYPE1 5 3 1h 1 2 3 . AQ==") ==
               "0001050300000e1000000001000000020003"
               "0001");
    // RFC 4034 4.3
    BOOST_TEST(rdata("NSEC a. A MX RRSIG NSEC TYPE1234") ==
               "0161000006400100000003041b"
               "000000000000000000000000000000000000000000000000000020");
    // RFC 5155: salt, base32
    BOOST_TEST(rdata("NSEC3PARAM 1 0 12 aabbccdd") == "0100000c04aabbccdd");
    BOOST_TEST(rdata("NSEC3PARAM 1 0 0 -") == "0100000000");
    BOOST_TEST(rdata("NSEC3 1 1 12 aa 2t7b4g4vsa5smi47k61mv5bv1a22bojr A") ==
               "0101000c01aa"
               "14174eb2409fe28bcb4887a1836f957f0a8425e27b"
               "000140");
    BOOST_TEST(rdata("CSYNC 66 3 A NS AAAA") == "000000420003000460000008");
    BOOST_TEST(rdata("EUI48 00-00-5e-00-53-2a") == "00005e00532a");
    BOOST_TEST(rdata("EUI64 00-00-5e-ef-10-00-00-2a") == "00005eef1000002a");
    BOOST_TEST(rdata("L64 10 2001:db8:1140:1000") == "000a20010db811401000");
    BOOST_TEST(rdata("L32 10 10.1.2.0") == "000a0a010200");
    BOOST_TEST(rdata("DNSKEY 257 3 13 AQI") ==
               "expected the data of a record of type DNSKEY, as in '257 3 13 "
               "mdsswUyr3DPW132mOi8V9xESWE8jTo0d'");
    BOOST_TEST(rdata("EUI48 00-00-5e-00-53") ==
               "expected the data of a record of type EUI48, as in '00-00-5e-00-53-2a'");
    BOOST_TEST(rdata("RRSIG A 5 3 1 20031322173103 1 2 . AQ==")
                   .starts_with("expected the data of a record of type RRSIG"));
}

// Each of these ldns 1.8 takes for something else, or writes beyond its stack.
BOOST_AUTO_TEST_CASE(values_beyond_their_field_are_refused) {
    for (const std::string text :
         {"MX 65546 a.",
          "MX -1 a.",
          "SRV 0 5 70000 a.",
          "CAA 256 issue \"ca\"",
          "SOA a. b. 4294967296 2 3 4 5",
          "SOA a. b. 1 99999999999h 3 4 5",
          "SOA a. b. 1h 2 3 4 5",
          "CSYNC 1h 3 A",
          "NSEC a. A NOSUCH",
          "DS 258 256 2 abcd",
          "DS 258 -1 2 abcd",
          "TLSA 256 1 1 01",
          "CERT 65536 2 3 AQID",
          "TLSA 3 1 1 abc",
          "DNSKEY 257 3 13 0",
          "RRSIG A 5 3 1 4294967296 1 2 . AQ==",
          "TYPE65280 \\# 65539 ab cd ef",
          "TYPE65280 \\# 3 abzzef",
          "EUI48 0-0-5e-0-53-2a",
          "HTTPS 1 . port=70000",
          "HTTPS 1 . ipv6hint=2001:0db8:0000:0000:0000:0000:255.255.255.255.",
          "HTTPS 1 . ipv6hint=0000000000000000000000000000000000000000000000",
          "HTTPS 1 . alpn=h2 alpn=h3",
          "HTTPS 1 . mandatory=port,port",
          "HTTPS 1 . echconfig=AAEC",
          "HTTPS 1 . key65535=x",
          "HTTPS 1 . alpn",
          "HTTPS 1 . port",
          "HTTPS 1 . no-default-alpn=1",
          "HTTPS 1 . \"a b\"=1"}) {
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(read_zone("x. " + text, "zone").bad.count() == 1U);
        }
    }
    BOOST_TEST(read_zone("x. NSEC3PARAM 1 0 0 " + std::string(512, 'a'), "zone").bad.count() == 1U);
    BOOST_TEST(read_zone("x. DNSKEY 1 3 13 " + std::string(131'072, 'A'), "zone").bad.count() ==
               1U);
    BOOST_TEST(read_zone("x. HTTPS 1 . key9=" + std::string(65'600, 'a'), "zone").bad.count() ==
               1U);
    BOOST_TEST(read_zone(std::string("x. TXT a\0b", 10), "zone").bad.count() == 1U);
    std::string many = "x. NSEC a.";
    for (unsigned i = 0; i < 66'000; ++i)
        many += " A";
    BOOST_TEST(rdata(many.substr(3)) ==
               "01610000"
               "0140");
}

// RFC 4034 appendix A, RFC 7218.
BOOST_AUTO_TEST_CASE(algorithms_may_be_written_by_name) {
    BOOST_TEST(rdata("DS 258 RSASHA256 2 abcd") == "01020802abcd");
    BOOST_TEST(rdata("TLSA DANE-EE SPKI SHA2-256 01") == "03010101");
    BOOST_TEST(rdata("CERT PGP 0 0 AQID") == "0003000000010203");
    BOOST_TEST(
        rdata("DS 258 NOSUCH 2 abcd").starts_with("expected the data of a record of type DS"));
}

BOOST_AUTO_TEST_CASE(generate_makes_one_record_for_each_number) {
    const ZoneText zone = read_zone(
        "$ORIGIN example.\n"
        "$GENERATE 1-5/2 host$ A 192.0.2.$\n"
        "$GENERATE 10-11 h${-9,3}.x 60 IN CNAME ${0,2,x}\\$$$.y.\n"
        "$GENERATE 2-1 a A 192.0.2.1\n"
        "$GENERATE 0-70000 a$ A 192.0.2.1\n"
        "$GENERATE 1-2 a${0,1,z} A 192.0.2.1\n"
        "$GENERATE 250-260 b A 192.0.2.$\n",
        "zone");
    std::string names;
    for (const ZoneRecord& r : zone.records)
        names += r.name + " ";
    BOOST_TEST(
        names.starts_with("host1.example host3.example host5.example h001.x.example "
                          "h002.x.example b.example "));
    BOOST_TEST(hex(zone.records.at(2).record.rdata) == "c0000205");
    BOOST_TEST(hex(zone.records.at(3).record.rdata) ==
               "04306124240179"
               "00");
    BOOST_TEST(zone.records.at(3).record.ttl_s == 60U);
    BOOST_TEST(zone.bad.count() == 4U);  // three ranges or forms, and one address of the last
}

BOOST_AUTO_TEST_CASE(include_reads_another_file_with_its_own_origin) {
    const ZoneFiles files = [](std::string_view path, std::string_view by) -> Result<ZoneFile> {
        if (path == "loop") return ZoneFile{"loop", "$INCLUDE loop\n"};
        if (path != "sub") return Error{"no such file"};
        BOOST_TEST(by == "zone");
        return ZoneFile{"sub", "www A 192.0.2.2\n$ORIGIN other.\nbad A x\n"};
    };
    const ZoneText zone = read_zone(
        "$ORIGIN example.\n"
        "a A 192.0.2.1\n"
        "$INCLUDE sub in\n"
        "  A 192.0.2.3\n"
        "$INCLUDE none\n"
        "$INCLUDE loop\n",
        "zone", files);
    BOOST_TEST_REQUIRE(zone.records.size() == 3U);
    BOOST_TEST(zone.records[1].name == "www.in.example");
    BOOST_TEST(zone.records[1].line == 3);
    BOOST_TEST(zone.records[2].name == "a.example");  // the owner before the file
    const auto errors = zone.bad.errors();
    BOOST_TEST_REQUIRE(errors.size() == 3U);
    BOOST_TEST(errors[0].sentence() ==
               "zone:3: sub:3: expected the data of a record of type A, as in '192.0.2.1'");
    BOOST_TEST(errors[1].sentence() == "zone:5: $INCLUDE: no such file");
    BOOST_TEST(errors[2].line == 6);
    BOOST_TEST(read_zone("$INCLUDE sub\n", "zone").bad.count() == 1U);
}

BOOST_AUTO_TEST_CASE(a_zone_begins_at_the_origin_that_is_given) {
    const ZoneText zone = read_zone("@ MX 10 mail\nwww A 192.0.2.1\n$ORIGIN sub\na A 192.0.2.2\n",
                                    "zone", {}, "example.org");
    BOOST_TEST_REQUIRE(zone.records.size() == 3U);
    BOOST_TEST(zone.records[0].name == "example.org");
    BOOST_TEST(hex(zone.records[0].record.rdata) == "000a046d61696c076578616d706c65036f726700");
    BOOST_TEST(zone.records[1].name == "www.example.org");
    BOOST_TEST(zone.records[2].name == "a.sub.example.org");
}

// RFC 9460: parameters in order of their numbers, a length before each.
BOOST_AUTO_TEST_CASE(svcb_parameters_are_parsed) {
    BOOST_TEST(rdata("HTTPS 0 a.") == "0000016100");
    BOOST_TEST(rdata("HTTPS 1 . port=443 alpn=\"h2,h3\"") ==
               "000100"
               "0001000602683202"
               "6833"
               "0003000201bb");
    BOOST_TEST(rdata("SVCB 1 . mandatory=port,alpn alpn=h2 port=53 no-default-alpn") ==
               "000100"
               "0000000400010003"
               "00010003026832"
               "00020000"
               "000300020035");
    BOOST_TEST(rdata("SVCB 1 . ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1") ==
               "000100"
               "00040008c0000201c0000202"
               "0006001020010db8000000000000000000000001");
    BOOST_TEST(rdata("SVCB 1 . key667=hello ech=AAEC") ==
               "000100"
               "00050003000102"
               "029b000568656c6c6f");
}

BOOST_AUTO_TEST_CASE(names_ttls_and_classes_are_inherited_or_written) {
    const ZoneText zone = read_zone(
        "$ORIGIN example.org.\n"
        "$TTL 2m\n"
        "@ A 192.0.2.1 ; comment\n"
        "  60 IN AAAA 2001:db8::1\n"
        "www CH 1h TXT ( one ; of two\n"
        "      two )\n"
        "$ORIGIN sub\n"
        "a CNAME b\n"
        "c. CNAME @\n",
        "zone");
    BOOST_TEST(zone.bad.count() == 0U);
    BOOST_TEST_REQUIRE(zone.records.size() == 5U);
    const auto is = [&](std::size_t i, const std::string& name, std::uint32_t ttl,
                        std::uint16_t klass, int line) {
        BOOST_TEST(zone.records[i].name == name);
        BOOST_TEST(zone.records[i].record.ttl_s == ttl);
        BOOST_TEST(zone.records[i].record.klass == klass);
        BOOST_TEST(zone.records[i].line == line);
    };
    is(0, "example.org", 120, 1, 3);
    is(1, "example.org", 60, 1, 4);
    is(2, "www.example.org", 3600, 3, 5);
    is(3, "a.sub.example.org", 120, 1, 8);
    is(4, "c", 120, 1, 9);
    BOOST_TEST(hex(zone.records[2].record.rdata) == "036f6e650374776f");
    BOOST_TEST(hex(zone.records[4].record.rdata) == "03737562076578616d706c65036f726700");
    BOOST_TEST(read_zone("a A 192.0.2.1", "zone").records.at(0).record.ttl_s == 3600U);
}

BOOST_AUTO_TEST_CASE(bad_lines_are_named_and_the_others_are_read) {
    const ZoneText zone = read_zone(
        "\n"
        " A 192.0.2.1\n"      // no name yet
        "a A 192.0.2.256\n"   // no address
        "a AAAA 192.0.2.1\n"  // of the other family
        "a MX ten b.\n"
        "a A 192.0.2.1 192.0.2.2\n"
        "a TXT \"open\n"
        "a TXT \\25\n"
        "a OPT x\n"
        "a HTTPS 1 . alpn=,\n"
        "a HTTPS 1 . mandatory=mandatory\n"
        "a TYPE1234 what\n"
        "a TYPE1234 \\# 1 abcd\n"
        "$TTL soon\n"
        "good A 192.0.2.1\n"
        "a TXT (\n"
        "  never closed\n",
        "zone");
    BOOST_TEST(zone.bad.count() == 14U);
    BOOST_TEST_REQUIRE(zone.records.size() == 1U);
    BOOST_TEST(zone.records[0].line == 15);
    const auto errors = zone.bad.errors();
    BOOST_TEST(errors[0].sentence() == "zone:2: a record has no name: add one before it");
    BOOST_TEST(errors[1].sentence() ==
               "zone:3: expected the data of a record of type A, as in '192.0.2.1'");
    BOOST_TEST(errors.back().line == 16);
    BOOST_TEST(read_zone(std::string("\xff\xfe\0a", 4), "zone").bad.count() == 1U);
}

BOOST_AUTO_TEST_CASE(any_bytes_are_parsed_without_a_fault) {
    std::string bytes;
    for (unsigned seed = 1; seed <= 300; ++seed) {
        bytes.clear();
        for (unsigned i = 0, x = seed; i < 200; ++i) {
            x = x * 1664525 + 1013904223;
            constexpr std::string_view kBytes = "aA1.\\\"();$@# \t\n=,-:\0\xff";
            bytes += x >> 24 < 40 ? "a A 192.0.2.1 HTTPS 1 . alpn=h2 \\# 2 ab"[x >> 16 & 31]
                                  : kBytes[(x >> 20) % kBytes.size()];
        }
        const ZoneText zone = read_zone(bytes, "zone");
        BOOST_TEST(zone.records.size() + zone.bad.count() <= 200U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::config
