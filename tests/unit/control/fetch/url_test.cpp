#include "control/config/text/url.h"

#include <boost/test/unit_test.hpp>

using steer::config::file_name_of;
using steer::config::parse_url;
using steer::config::resolve_reference;
using steer::config::Url;

BOOST_AUTO_TEST_SUITE(urls)

namespace {

std::string form(std::string_view text) {
    const auto url = parse_url(text);
    return url ? url->text() : "refused";
}
std::string led(std::string_view base, std::string_view reference) {
    const auto url = resolve_reference(*parse_url(base), reference);
    return url ? url->text() : "refused";
}

}  // namespace

BOOST_AUTO_TEST_CASE(urls_are_normalised) {
    BOOST_TEST(form("http://lists.example/a.txt") == "http://lists.example/a.txt");
    BOOST_TEST(form("HTTPS://Lists.Example.:443/A?b=C#d") == "https://lists.example/A?b=C");
    BOOST_TEST(form("http://lists.example") == "http://lists.example/");
    BOOST_TEST(form("http://lists.example?x") == "http://lists.example/?x");
    BOOST_TEST(form("http://192.0.2.1:8080/x") == "http://192.0.2.1:8080/x");
    BOOST_TEST(form("https://[2001:db8::1]:8443/x") == "https://[2001:db8::1]:8443/x");
    const auto url = parse_url("https://[2001:db8::1]/x");
    BOOST_TEST(url->host == "2001:db8::1");
    BOOST_TEST(url->port == 443);
    BOOST_TEST(url->authority() == "[2001:db8::1]");
}

BOOST_AUTO_TEST_CASE(invalid_urls_are_refused) {
    for (const char* text :
         {"ftp://lists.example/", "http://", "http:///path", "http://user@lists.example/",
          "http://user:word@lists.example/", "http://a b/", "http://lists..example/",
          "http://lists.example:0/", "http://lists.example:65536/", "http://2001:db8::1/",
          "http://l\xc3\xaf.example/", "http://lists.example/100%", "http://a\r\nHost: b/",
          "/etc/names", ""}) {
        BOOST_TEST(form(text) == "refused", text);
    }
    BOOST_TEST(form("http://a/" + std::string(5000, 'x')) == "refused");
}

// RFC 3986 5.4, as far as it is about http.
BOOST_AUTO_TEST_CASE(relative_references_are_resolved) {
    const char* const base = "http://a/b/c/d;p?q";
    BOOST_TEST(led(base, "g") == "http://a/b/c/g");
    BOOST_TEST(led(base, "./g") == "http://a/b/c/g");
    BOOST_TEST(led(base, "g/") == "http://a/b/c/g/");
    BOOST_TEST(led(base, "/g") == "http://a/g");
    BOOST_TEST(led(base, "//g") == "http://g/");
    BOOST_TEST(led(base, "?y") == "http://a/b/c/d;p?y");
    BOOST_TEST(led(base, "g?y") == "http://a/b/c/g?y");
    BOOST_TEST(led(base, "g#s") == "http://a/b/c/g");
    BOOST_TEST(led(base, "") == base);
    BOOST_TEST(led(base, ".") == "http://a/b/c/");
    BOOST_TEST(led(base, "..") == "http://a/b/");
    BOOST_TEST(led(base, "../g") == "http://a/b/g");
    BOOST_TEST(led(base, "../../../g") == "http://a/g");
    BOOST_TEST(led(base, "../../../../..?x") == "http://a/?x");
    BOOST_TEST(led(base, "/../g") == "http://a/g");
    BOOST_TEST(led(base, "https://other:8443/x") == "https://other:8443/x");
    BOOST_TEST(led("https://a/x", "//b/y") == "https://b/y");
    BOOST_TEST(led(base, "ftp://other/x") == "refused");
    BOOST_TEST(led(base, "javascript:x") == "refused");
    // As some servers write them.
    BOOST_TEST(led(base, "/a|b[1].txt?{x}") == "http://a/a%7Cb%5B1%5D.txt?%7Bx%7D");
    BOOST_TEST(led(base, "%zz") == "refused");
    BOOST_TEST(led("https://a//b/c", "d") == "https://a//b/d");
}

BOOST_AUTO_TEST_CASE(each_url_has_a_safe_file_name) {
    const auto name = [](const char* text) { return file_name_of(*parse_url(text)); };
    BOOST_TEST(name("https://lists.example/dir/ads.txt?x=1").starts_with("lists.example-"));
    BOOST_TEST(name("https://lists.example/dir/ads.txt?x=1").ends_with("-ads.txt"));
    BOOST_TEST(name("https://lists.example/ads.txt?x=1") != name("https://lists.example/ads.txt"));
    BOOST_TEST(name("https://[::1]/..%2f..%2fpasswd").find('/') == std::string::npos);
    BOOST_TEST(file_name_of(*parse_url("https://a/" + std::string(3000, 'x'))).size() < 120U);
}

BOOST_AUTO_TEST_SUITE_END()
