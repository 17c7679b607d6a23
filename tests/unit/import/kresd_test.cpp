// The statements of a kresd.conf that are read, and those that are skipped as a whole.
#include "tools/import/kresd.h"

#include <boost/test/unit_test.hpp>

#include "tools/import/kresd_import.h"

using namespace steer::importing;

namespace {

std::string text_of_value(const LuaValue& value) {
    switch (value.kind) {
        case LuaValue::Kind::nothing:
            return "?";
        case LuaValue::Kind::text:
            return "'" + value.text + "'";
        case LuaValue::Kind::number:
            return std::to_string(static_cast<long>(value.number));
        case LuaValue::Kind::name:
            return value.text;
        case LuaValue::Kind::call:
        case LuaValue::Kind::table:
            break;
    }
    std::string out = value.kind == LuaValue::Kind::call ? value.text + "(" : "{";
    for (const LuaValue& item : value.items)
        out += text_of_value(item) + ",";
    for (const auto& [key, entry] : value.entries)
        out += key + "=" + text_of_value(entry) + ",";
    return out + (value.kind == LuaValue::Kind::call ? ")" : "}");
}

// Always with a statement of kresd, so that the file is one.
std::string kresd_statements(const std::string& text) {
    const KresdFile read = read_kresd(text + "\nuser('x')");
    std::string out;
    for (const LuaStatement& statement : read.statements) {
        if (statement.value.is_call("user")) continue;
        out += std::to_string(statement.line) + " " +
               (statement.target.empty() ? "" : statement.target + "=") +
               text_of_value(statement.value) + ";";
    }
    for (const Note& note : read.notes)
        out += " {" + note.place + "}";
    return out + (read.failure ? " failed " + std::to_string(read.failure->line) : "");
}

BOOST_AUTO_TEST_CASE(assignments_and_calls_are_read) {
    BOOST_TEST(kresd_statements("cache.size = 2 * 50 * MB") == "1 cache.size=104857600;");
    BOOST_TEST(kresd_statements("net.listen({'a', \"b\"}, 53, { kind = 'dns' })") ==
               "1 net.listen({'a','b',},53,{kind='dns',},);");
    BOOST_TEST(
        kresd_statements("modules = {\n 'a > b', -- c\n ['d'] = { 1 }; e = true,\n}\nx.y 'z'") ==
        "1 modules={'a > b',d={1,},e=true,};5 x.y('z',);");
    BOOST_TEST(
        kresd_statements("hints['a.b'] = '192.0.2.1'; view:addr('x', policy.all(policy.PASS))") ==
        "1 hints[a.b]='192.0.2.1';1 view:addr('x',policy.all(policy.PASS,),);");
}

BOOST_AUTO_TEST_CASE(comments_and_long_texts_are_read) {
    BOOST_TEST(kresd_statements("--[[ a\nb ]] user('y')\nx.y([==[a]]b]==]) -- c\n--[=[ ]] ]=]") ==
               "3 x.y('a]]b',);");
    BOOST_TEST(kresd_statements("x.y('a\\'b')") == "1 x.y('a'b',);");
}

BOOST_AUTO_TEST_CASE(scripts_are_skipped_to_their_end) {
    BOOST_TEST(kresd_statements("if a then\n if b then c() else d() end\nend\nx.y(1)") ==
               "4 x.y(1,); {line 1}");
    BOOST_TEST(kresd_statements("for i = 1, 2 do\n x(i)\nend\nwhile a do\n b()\nend\nx.y(1)") ==
               "7 x.y(1,); {line 1} {line 4}");
    BOOST_TEST(kresd_statements("repeat\n a()\nuntil b > 1\nx.y(1)") == "4 x.y(1,); {line 1}");
    BOOST_TEST(kresd_statements("local f = function(a)\n return function() end\nend\nx.y(1)") ==
               "4 x.y(1,); {line 1}");
    BOOST_TEST(kresd_statements("local a =\n b\nx.y(1)") == "3 x.y(1,); {line 1}");
    BOOST_TEST(kresd_statements("policy.add(function (r)\n if r then return 1 end\nend)\nx.y(1)") ==
               "4 x.y(1,); {line 1}");
    BOOST_TEST(kresd_statements("x.z(a .. 'b', {\n 1,\n})\nx.y(1)") == "4 x.y(1,); {line 1}");
    BOOST_TEST(kresd_statements("x.z(''1'')\nx.y(1)") == "2 x.y(1,); {line 1}");
}

BOOST_AUTO_TEST_CASE(scripts_of_others_are_refused) {
    BOOST_TEST(read_kresd("server:\n port: 53").failure.has_value());
    BOOST_TEST(read_kresd("").failure.has_value());
    BOOST_TEST(read_kresd(std::string_view("user()\n\0", 8)).failure->line == 2);
    BOOST_TEST(read_kresd("user()\nx.y('a").failure->line == 2);
    BOOST_TEST(read_kresd("user()\n--[[ a").failure->line == 2);
}

BOOST_AUTO_TEST_CASE(deep_values_end) {
    const std::string deep = "x.y(" + std::string(10'000, '{');
    BOOST_TEST(kresd_statements(deep) == " {line 1} failed 0");
}

BOOST_AUTO_TEST_CASE(the_first_rule_decides) {
    const Imported made = import_kresd(
        "policy.add(policy.suffix(policy.PASS, {todname('a.example')}))\n"
        "policy.add(policy.suffix(policy.DENY, {todname('x.a.example'), todname('example')}))\n"
        "view:addr('192.0.2.0/24', policy.all(policy.PASS))\n"
        "view:addr('192.0.2.128/25', policy.all(policy.DROP))\n",
        "test", [](const std::string&) { return true; });
    BOOST_TEST(made.notes.size() == 2);
    BOOST_TEST(made.yaml.find("[\"qname domain:example\", \"!qname domain:a.example\"]") !=
               std::string::npos);
    BOOST_TEST(made.yaml.find("client_ip") == std::string::npos);
}

}  // namespace
