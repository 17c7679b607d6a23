// Impossible records: aliases in circles, expressions that do not compile.
#include <boost/test/unit_test.hpp>

#include "tools/import/records.h"

using namespace steer::importing;

namespace {

Record alias(const std::string& name, const std::string& target,
             Record::Owner owner = Record::Owner::name) {
    Record out;
    out.owner = owner;
    out.name = name;
    out.type = "CNAME";
    out.alias = target;
    return out;
}

std::string left(std::vector<Record> records) {
    drop_circles(records);
    std::string out;
    for (const Record& r : records)
        out += r.name + ">" + r.alias + " ";
    return out;
}

BOOST_AUTO_TEST_CASE(aliases_in_circles_are_left_out) {
    BOOST_TEST(left({alias("a", "b"), alias("b", "c")}) == "a>b b>c ");
    BOOST_TEST(left({alias("a", "a")}) == "");
    BOOST_TEST(left({alias("a", "b"), alias("b", "a"), alias("c", "b")}) == "b>a c>b ");
    BOOST_TEST(left({alias("a", "b"), alias("b", "c"), alias("c", "b")}) == "c>b ");
    // Below a name that is the target of its own target.
    BOOST_TEST(left({alias("x", "y", Record::Owner::subdomains), alias("y", "x")}) == "y>x ");
}

BOOST_AUTO_TEST_CASE(expressions_that_cannot_be_compiled_are_found) {
    for (const char* const good :
         {".*", "[*mikrotik*]", "^ad[0-9]+\\.example$", "([[:alnum:]]+)\\.x"})
        BOOST_TEST(expression_error(good) == "", good);
    for (const char* const bad : {"*x", "(a", "(a)\\1", "\\<a\\>", "(?=a)", "a{60000}"})
        BOOST_TEST(expression_error(bad) != "", bad);
}

}  // namespace
