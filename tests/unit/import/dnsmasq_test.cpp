// The lines of a dnsmasq.conf, and which domain is the longest.
#include <boost/test/unit_test.hpp>

#include "tools/import/dnsmasq.h"
#include "tools/import/dnsmasq_import.h"

using namespace steer::importing;

namespace {

std::string all_options(std::string_view text) {
    const DnsmasqFile read = read_dnsmasq(text);
    std::string out;
    for (const DnsmasqOption& o : read.options)
        out += std::to_string(o.line) + " " + o.name + "=" + o.value + ";";
    return out + (read.failure ? "failed" : "");
}

BOOST_AUTO_TEST_CASE(options_and_comments_are_parsed) {
    BOOST_TEST(all_options("# a\nport=53 # b\r\n\n--no-resolv\n  server = 1.1.1.1#53\n") ==
               "2 port=53;4 no-resolv=;5 server=1.1.1.1#53;");
    BOOST_TEST(all_options("txt-record=a,\"b # c\"") == "1 txt-record=a,\"b # c\";");
    BOOST_TEST(all_options("address=/#/1.2.3.4") == "1 address=/#/1.2.3.4;");
}

BOOST_AUTO_TEST_CASE(words_are_split_outside_quotes) {
    BOOST_TEST(
        dnsmasq_words("a, \"b,c\" ,\"d\\\"e\"") == (std::vector<std::string>{"a", "b,c", "d\"e"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_files_are_refused) {
    BOOST_TEST(all_options("plugins:\n - tag\n").ends_with("failed"));
    BOOST_TEST(all_options("").ends_with("failed"));
    BOOST_TEST(all_options(std::string_view("port=53\n\0", 9)).ends_with("failed"));
}

std::size_t place_of(const std::string& yaml, std::string_view text) {
    const auto at = yaml.find(text);
    BOOST_TEST(at != std::string::npos, text);
    return at;
}

BOOST_AUTO_TEST_CASE(the_longest_domain_comes_first) {
    const Imported made = import_dnsmasq(
        "address=/example/192.0.2.1\nserver=/b.example/192.0.2.2\naddress=/a.b.example/192.0.2.3\n"
        "host-record=x.example,192.0.2.4\nno-hosts\n",
        "test");
    BOOST_TEST(made.notes.empty());
    const auto single = place_of(made.yaml, "{ name: x.example"),
               three = place_of(made.yaml, "{ name: a.b.example"),
               two = place_of(made.yaml, "{ name: b.example"),
               one = place_of(made.yaml, "{ name: example");
    BOOST_TEST((single < three && three < two && two < one));
}

// A name that has an address exists, whatever is denied around it: the domain is denied behind it.
BOOST_AUTO_TEST_CASE(a_local_domain_is_denied_behind_its_names) {
    const Imported made =
        import_dnsmasq("local=/lan/\nhost-record=nas.lan,192.0.2.1\nno-hosts\n", "test");
    BOOST_TEST(made.yaml.find("NXDOMAIN") == std::string::npos);
    BOOST_TEST(place_of(made.yaml, "exec: $names") < place_of(made.yaml, "qname $denied"));
}

// Within a domain that others are asked about, it has to be among the names.
BOOST_AUTO_TEST_CASE(a_local_domain_may_be_within_a_forwarded_one) {
    const Imported made =
        import_dnsmasq("server=/corp/192.0.2.1\nlocal=/x.corp/\nno-hosts\n", "test");
    BOOST_TEST(place_of(made.yaml, "{ name: x.corp, type: NXDOMAIN") <
               place_of(made.yaml, "{ name: corp, type: FWD"));
}

}  // namespace
