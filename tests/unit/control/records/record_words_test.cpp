#include "control/sources/records/record_words.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "control/config/lists/runtime_records.h"
#include "control/sources/records/record_file.h"

using steer::config::RecordFields;
using Words = std::vector<std::string>;
namespace records = steer::records;

BOOST_AUTO_TEST_SUITE(record_words)

namespace {

std::string error_of(const Words& words) {
    const auto fields = records::fields_of(words);
    return fields ? "none" : fields.error().text;
}
RecordFields good(const Words& words) {
    auto fields = records::fields_of(words);
    BOOST_REQUIRE_MESSAGE(fields, fields.error().text);
    return *fields;
}

}  // namespace

BOOST_AUTO_TEST_CASE(words_of_routeros_become_keys_of_the_configuration_and_come_back) {
    const RecordFields fields =
        good({"name=nas.lan", "Address=192.168.88.10", "match-subdomain=yes", "ttl=00:05:00",
              "disabled=no", "comment=the \"big\" one"});
    BOOST_TEST((fields == RecordFields{{"name", "nas.lan"},
                                       {"address", "192.168.88.10"},
                                       {"match_subdomain", "true"},
                                       {"ttl", "5m"},
                                       {"disabled", "false"},
                                       {"comment", "the \"big\" one"}}));
    BOOST_TEST(records::words_of(fields) ==
               "type=A name=nas.lan address=192.168.88.10 match-subdomain=yes ttl=5m disabled=no "
               "comment=\"the \\\"big\\\" one\"");
    BOOST_TEST(records::value_of(good({"name=a.lan", "address=fd88::1"}), "type") == "AAAA");
    BOOST_TEST(records::value_of(good({"name=a.lan", "type=mx"}), "type") == "MX");
    BOOST_TEST(records::value_of(good({"name=a.lan", "ttl=3601"}), "ttl") == "3601s");
    BOOST_TEST(records::value_of(good({"name=a.lan", "text=a=b"}), "text") == "a=b");
}

BOOST_AUTO_TEST_CASE(invalid_words_are_refused_with_a_sentence) {
    BOOST_TEST(error_of({"nas.lan"}) ==
               "\"nas.lan\" is not a property: write PROPERTY=VALUE, as in name=nas.lan");
    BOOST_TEST(error_of({"=x"}).starts_with("\"=x\" is not a property"));
    BOOST_TEST(error_of({"adress=192.0.2.1"}) ==
               "unknown property \"adress\": did you mean 'address'?");
    BOOST_TEST(error_of({"place-before=0"}).starts_with("unknown property \"place-before\""));
    BOOST_TEST(error_of({"name=a", "NAME=b"}) == "the property name is given twice: write it once");
    BOOST_TEST(error_of({"disabled=maybe"}) == "disabled is \"maybe\": expected yes or no");
    BOOST_TEST(error_of({"ttl=soon"}) ==
               "ttl is \"soon\": expected a time, as in 1h30m or 00:05:00");
    BOOST_TEST(error_of({"comment=a\nb"}) ==
               "the value of comment has a control character: remove it");
    BOOST_TEST(error_of({"text=" + std::string(records::kMaxValueBytes + 1, 'x')}) ==
               "the value of text is longer than 16384 bytes");
    BOOST_TEST(error_of({"text=" + std::string(records::kMaxValueBytes, 'x')}) == "none");
}

BOOST_AUTO_TEST_CASE(filters_compare_meanings) {
    const RecordFields record =
        good({"name=nas.lan", "address=FD88::0001", "ttl=60m", "comment=Big One"});
    for (const Words& filter :
         {Words{}, Words{"name=NAS.lan."}, Words{"address=fd88::1"}, Words{"type=aaaa"},
          Words{"ttl=1h"}, Words{"disabled=no"}, Words{"match-subdomain=no", "comment=big one"}})
        BOOST_TEST(records::matches(record, good(filter)));
    for (const Words& filter :
         {Words{"name=as.lan"}, Words{"address=fd88::2"}, Words{"type=A"}, Words{"ttl=1d"},
          Words{"disabled=yes"}, Words{"cname=nas.lan"}, Words{"name=nas.lan", "comment=small"}})
        BOOST_TEST(!records::matches(record, good(filter)));
    BOOST_TEST(records::matches(good({"name=b\u00fccher.example", "address=192.0.2.1"}),
                                good({"name=xn--bcher-kva.example"})));
}

BOOST_AUTO_TEST_CASE(changed_names_are_those_of_the_record_and_of_its_address) {
    using Kind = steer::matchers::RuleKind;
    const auto of = [](const Words& words, bool with_pointer) {
        std::string out;
        for (const auto& rule : records::names_of(good(words), with_pointer))
            out += (rule.kind == Kind::full     ? " full:"
                    : rule.kind == Kind::domain ? " domain:"
                                                : " regexp:") +
                   rule.text;
        return out;
    };
    BOOST_TEST(of({"name=Nas.lan", "address=192.0.2.1"}, true) ==
               " full:nas.lan full:1.2.0.192.in-addr.arpa");
    BOOST_TEST(of({"name=nas.lan", "address=192.0.2.1"}, false) == " full:nas.lan");
    BOOST_TEST(of({"name=lan", "match-subdomain=yes", "type=FWD"}, true) == " domain:lan");
    BOOST_TEST(of({"regexp=^a\\.lan$", "type=NXDOMAIN"}, true) == " regexp:^a\\.lan$");
}

BOOST_AUTO_TEST_CASE(the_file_gives_back_every_value) {
    steer::config::RecordBook book;
    book.parts.push_back({"local", {}});
    for (const std::string value :
         {"plain", "", "yes", "1d", "a: b, {c}", "\"quoted\" \\ back", "${HOME} $${X}", "# none",
          "- item", "b\u00fccher", "'", "[x]", "*a &b !c", "a ", " a", "null", "0x10"})
        book.parts[0].records.push_back({{"name", "a.lan"}, {"comment", value}});
    const auto read = steer::config::parse_record_book("f.yaml", records::text_of(book));
    BOOST_REQUIRE_MESSAGE(read, read.error().sentence());
    BOOST_REQUIRE(read->parts.size() == 1);
    BOOST_TEST((read->parts[0].records == book.parts[0].records));
}

BOOST_AUTO_TEST_SUITE_END()
