// managed.yaml, changed part by part.
#include "control/sources/edit/layer_text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "control/config/document_text.h"
#include "control/config/layer.h"
#include "control/sources/edit/line_diff.h"

namespace steer::edit {
namespace {

// Without the comment at the head.
std::string changed(const std::string& text, const std::vector<std::string>& parts,
                    const std::vector<std::string>& values) {
    const auto change = layer_change(parts, values);
    if (!change) return change.error().text;
    const auto out = with_change("m.yaml", text, *change);
    if (!out) return out.error().sentence();
    std::string rest = *out;
    while (rest.starts_with('#'))
        rest.erase(0, rest.find('\n') + 1);
    return rest;
}

BOOST_AUTO_TEST_CASE(a_part_is_added_replaced_and_removed) {
    const std::string one =
        changed("", {"plugins.up"}, {"{args: {upstreams: [{addr: 'udp://9.9.9.9'}]}}"});
    BOOST_TEST(one ==
               "plugins:\n"
               "  - tag: up\n"
               "    args:\n"
               "      upstreams:\n"
               "        - addr: \"udp://9.9.9.9\"\n");
    const std::string two = changed(one, {"plugins.up", "policy.rebind", "http"},
                                    {"{\"args\": {\"concurrent\": 2}}", "block", "{listen: ':1'}"});
    BOOST_TEST(two ==
               "plugins:\n"
               "  - tag: up\n"
               "    args:\n"
               "      concurrent: 2\n"
               "policy:\n"
               "  rebind: block\n"
               "control:\n"
               "  http:\n"
               "    listen: \":1\"\n");
    BOOST_TEST(changed(two, {"policy.rebind", "http"}, {}) ==
               "plugins:\n"
               "  - tag: up\n"
               "    args:\n"
               "      concurrent: 2\n");
    BOOST_TEST(changed(changed(two, {"policy", "plugins.up", "http"}, {}), {"mdns"}, {"{}"}) ==
               "mdns: {}\n");
}

BOOST_AUTO_TEST_CASE(lines_for_unbound_are_refused_and_other_settings_of_a_recursion_are_taken) {
    const std::string refused =
        "'extra' of recursion 'resolve' may not be in the layer over the configuration: write it "
        "into the configuration itself";
    BOOST_TEST(changed("", {"plugins.resolve"}, {"{args: {extra: ['port: 53']}}"}) == refused);
    BOOST_TEST(changed("", {"plugins.resolve"}, {"{type: recursion, args: {extra: []}}"}) ==
               refused);
    BOOST_TEST(changed("", {"plugins.resolve"}, {"{args: {cache_size: 8MiB}}"}) ==
               "plugins:\n"
               "  - tag: resolve\n"
               "    args:\n"
               "      cache_size: 8MiB\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_part_or_no_value_is_refused) {
    BOOST_TEST(
        changed("", {"dataplane"}, {"{}"}) ==
        "there is no part \"dataplane\": expected plugins.TAG, routers.NAME, policy.SETTING, "
        "mdns.SETTING or http");
    BOOST_TEST(changed("", {"control.user"}, {"root"}).starts_with("there is no part"));
    BOOST_TEST(changed("", {"plugins."}, {"{}"}).starts_with("there is no part"));
    BOOST_TEST(changed("", {}, {}).starts_with("no part is given"));
    BOOST_TEST(changed("", {"policy", "mdns"}, {"{}"}).starts_with("give as many values"));
    BOOST_TEST(changed("", {"plugins.up"}, {"[a]"}).starts_with("the value of a plugin: expected"));
    BOOST_TEST(changed("", {"plugins.up"}, {"{tag: down}"}) ==
               "the value has another tag than \"up\"");
    BOOST_TEST(changed("", {"plugins.up"}, {"{a: ["}).starts_with("the value of plugins.up:1: "));
    BOOST_TEST(changed("", {"policy.rebind"}, {""}) == "m.yaml has no part \"policy.rebind\"");
    BOOST_TEST(changed("plugins: [", {"policy.rebind"}, {"block"}).starts_with("m.yaml:1: "));
    BOOST_TEST(changed("", {"policy.x"}, {std::string(config::kMaxManagedBytes, 'x')})
                   .find("would have more than") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_written_text_is_read_as_the_same) {
    for (const std::string_view text :
         {"{a: [1, [2, [3, {b: c}]], {}], \"${X}\": \"$${Y} ${Z:-x}\"}",
          "{a: ~, b: \"\", c: 'null'}", "[{a: {b: [x, {c: d, e: [f]}]}}, [], {}]",
          "{a: \"line\\nbreak: #\"}", "{'a b': '- x'}"}) {
        config::Report report("x");
        const auto node = config::parse_document(text, report);
        const auto again = config::parse_document(config::yaml_of(node), report);
        BOOST_TEST(report.error_count() == 0U, text);
        BOOST_TEST(config::hash_of(node) == config::hash_of(again), config::yaml_of(node));
    }
}

BOOST_AUTO_TEST_CASE(parts_have_the_names_that_a_change_takes) {
    std::vector<std::string> names;
    const std::string text =
        "plugins: [{tag: up}]\nrouters: {edge1: {}}\npolicy: {rebind: block}\ncontrol: {http: "
        "{}}\n";
    for (const NamedPart& part : parts_of(text)) {
        names.push_back(part.name);
        BOOST_TEST(!!layer_part(part.name), part.name);
    }
    BOOST_TEST(
        names == (std::vector<std::string>{"plugins.up", "routers.edge1", "policy.rebind", "http"}),
        boost::test_tools::per_element());
    BOOST_TEST(parts_of("a: [").empty());
}

std::string diffed(std::string_view before, std::string_view after) {
    std::string out;
    for (const DiffLine& line : diff_lines(before, after))
        out.append({line.kind}).append(line.text).append("|");
    return out;
}

BOOST_AUTO_TEST_CASE(a_diff_has_all_lines_of_both_texts) {
    BOOST_TEST(diffed("", "") == "");
    BOOST_TEST(diffed("a\nb\nc\n", "a\nc\n") == " a|-b| c|");
    BOOST_TEST(diffed("a\nc\n", "a\nb\nc\n") == " a|+b| c|");
    BOOST_TEST(diffed("", "a\n") == "+a|");
    BOOST_TEST(diffed("a\nx\nb\ny\nc\n", "a\nb\nz\nc\n") == " a|-x| b|-y|+z| c|");
    std::string many, others;
    for (int i = 0; i < 3000; ++i) {
        many += "a" + std::to_string(i) + "\n";
        others += "b" + std::to_string(i) + "\n";
    }
    BOOST_TEST(diff_lines(many, others).size() == 6000U);
}

}  // namespace
}  // namespace steer::edit
