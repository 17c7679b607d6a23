// What `steerdnsd --init` asks and writes.
#define BOOST_TEST_MODULE init
#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>
#include <variant>

#include "control/config/load.h"
#include "control/operator/init/answers.h"
#include "control/operator/init/configuration_text.h"
#include "control/operator/init/dialogue.h"
#include "support/random.h"

namespace steer::init {
namespace {

const std::string kRoot = STEER_SOURCE_ROOT;
using Given = std::map<std::string, std::string, std::less<>>;

Host a_host() {
    return {
        .interfaces = {{"eth0", {*IpAddress::parse("172.16.1.2"), *IpAddress::parse("fd16::2")}},
                       {"eth1", {}},
                       {"eth2", {*IpAddress::parse("2001:db8::2")}}},
        .default_interface = "eth0",
        .servers = {"192.0.2.53"},
        .user = "steerdns"};
}

// Asks with these lines typed; what was printed is in `output`.
struct Typed {
    std::deque<std::string> lines;
    std::ostringstream output;

    Result<Answers> ask(const Given& given = {}, bool defaults = false,
                        const Host& host = a_host()) {
        Dialogue dialogue{[this](const std::string& prompt, bool) -> std::optional<std::string> {
                              output << prompt;
                              if (lines.empty()) return std::nullopt;
                              std::string line = lines.front();
                              lines.pop_front();
                              return line;
                          },
                          output};
        return init::ask(host, given, defaults, dialogue);
    }
};

Result<Answers> answers_by(const Given& given, const Host& host = a_host()) {
    return Typed{}.ask(given, true, host);
}

config::Settings settings_of(const Answers& answers) {
    auto loaded = config::load_text(configuration_text(answers, ""), "text.yaml");
    for (const Error& e : loaded.errors)
        BOOST_ERROR(e.sentence());
    BOOST_REQUIRE(loaded.ok());
    return std::move(loaded.settings);
}

std::string refusal(const Given& given, const Host& host = a_host()) {
    const auto answers = answers_by(given, host);
    return answers ? "taken" : answers.error().text;
}

template <class Args>
const Args& plugin(const config::Settings& settings) {
    for (const auto& one : settings.plugins)
        if (const auto* const args = std::get_if<Args>(&one.args)) return *args;
    throw std::logic_error("there is no such plugin");
}

// ---- the table

BOOST_AUTO_TEST_CASE(there_are_nine_questions_and_each_option_once) {
    std::set<std::string_view> options;
    int asked = 0;
    for (const Question& question : questions()) {
        asked += question.asks.empty() ? 0 : 1;
        BOOST_TEST(!question.label.empty());
        BOOST_TEST(!question.expects.empty());
        BOOST_TEST((question.take != nullptr));
        if (!question.option.empty()) BOOST_TEST(options.insert(question.option).second);
    }
    BOOST_TEST(asked == kQuestions);
}

// ---- whole texts: tests/unit/init/NAME.yaml

void check_text(const std::string& name, const Answers& answers) {
    std::ifstream in(kRoot + "/tests/unit/init/" + name + ".yaml");
    const std::string expected{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST(configuration_text(answers, "/etc/steerdns/steerdns.password") == expected);
    settings_of(answers);
}

BOOST_AUTO_TEST_CASE(defaults_make_a_resolver) {
    const auto answers = answers_by({});
    BOOST_REQUIRE(answers.has_value());
    check_text("defaults", *answers);
}

BOOST_AUTO_TEST_CASE(answers_make_lists_on_a_router) {
    const auto answers = answers_by({{"--upstream", "quad9 192.0.2.1"},
                                     {"--allow", "192.168.0.0/16, 198.51.100.0/24"},
                                     {"--router", "172.16.1.1"},
                                     {"--router-tls", "anonymous"},
                                     {"--names", "stream.example https://lists.example/media"},
                                     {"--gateway", "10.9.0.1"},
                                     {"--gateway6", "wg1"},
                                     {"--dns64", "yes"},
                                     {"--page", "no"},
                                     {"--block-ads", "yes"},
                                     {"--log", "30"}});
    BOOST_REQUIRE_MESSAGE(answers.has_value(), answers.error().text);
    BOOST_TEST(answers->password.size() == 24U);
    check_text("router", *answers);
}

// ---- answers

BOOST_AUTO_TEST_CASE(an_invalid_answer_is_refused_with_a_sentence) {
    BOOST_TEST(
        refusal({{"--interface", "eth7"}}) ==
        "--interface cannot be taken: there is no interface \"eth7\" here; there are: eth0, eth1, "
        "eth2");
    BOOST_TEST(refusal({{"--interface", "eth1"}}).find("eth1 has no address") != std::string::npos);
    BOOST_TEST(
        refusal({{"--upstream", "ftp://192.0.2.1"}}).starts_with("--upstream cannot be taken: "));
    BOOST_TEST(refusal({{"--upstream", "host 192.0.2.1"}}).find("stands alone") !=
               std::string::npos);
    BOOST_TEST(refusal({{"--allow", "10.0.0.0/33"}}).starts_with("--allow cannot be taken: "));
    BOOST_TEST(refusal({{"--dns64", "64:ff9b::/97"}}).starts_with("--dns64 cannot be taken: "));
    BOOST_TEST(refusal({{"--names", "a.example"}}) == "--names needs --router");
    BOOST_TEST(refusal({{"--router", "172.16.1.1"}}).starts_with("--names is missing"));
    BOOST_TEST(refusal({{"--router", "172.16.1.1"}, {"--names", "none"}}).find("needs names") !=
               std::string::npos);
    BOOST_TEST(
        refusal(
            {{"--router", "172.16.1.1"}, {"--names", "a.example"}, {"--gateway6", "10.0.0.1"}}) ==
        "--gateway6 cannot be taken: \"10.0.0.1\" is no IPv6 address");
    BOOST_TEST(refusal({{"--page", "perhaps"}}) ==
               "--page cannot be taken: \"perhaps\" says neither yes nor no");
    BOOST_TEST(refusal({{"--block-ads", "ads"}}).find("neither a path nor a URL") !=
               std::string::npos);
    for (const char* const days : {"-1", "0", "7d", "3651", "99999999999"})
        BOOST_TEST(refusal({{"--log", days}}).starts_with("--log cannot be taken: "), days);
    BOOST_TEST(refusal({{"--router", "a\nb"}}).find("cannot be printed") != std::string::npos);
    Host silent = a_host();
    silent.servers.clear();
    BOOST_TEST(refusal({}, silent).starts_with("--upstream is missing"));
    silent.default_interface.clear();
    BOOST_TEST(refusal({}, silent).starts_with("--interface is missing"));
}

BOOST_AUTO_TEST_CASE(private_beside_other_prefixes_is_written_as_its_ranges) {
    const auto answers = answers_by({{"--allow", "private 198.51.100.0/24"}});
    BOOST_REQUIRE(answers.has_value());
    const auto& allow = settings_of(*answers).dataplane.allow;
    BOOST_REQUIRE(allow.has_value());
    const auto holds = [&](const char* text) {
        return std::ranges::find(*allow, matchers::Prefix::parse(text).value()) != allow->end();
    };
    BOOST_TEST(holds("192.168.0.0/16"));
    BOOST_TEST(holds("198.51.100.0/24"));
}

BOOST_AUTO_TEST_CASE(public_resolvers_are_asked_by_an_address_family_of_the_host) {
    const auto first = [](const std::string& interface) {
        const auto answers = answers_by({{"--interface", interface}, {"--upstream", "google"}});
        BOOST_REQUIRE(answers.has_value());
        return answers->upstreams.front().dial_addr;
    };
    BOOST_TEST(first("eth0") == "8.8.8.8");
    BOOST_TEST(first("eth2") == "2001:4860:4860::8888");
}

// ---- the dialogue

BOOST_AUTO_TEST_CASE(a_wrong_answer_is_asked_for_again) {
    Typed typed;
    typed.lines = {
        "eth9", "",          " 192.0.2.1 ", "",         "172.16.1.1", "", "it's \"$${X} # 1\"",
        "",     "a.example", "tunnel",      "10.9.0.1", "",           "", "",
        "",     ""};
    const auto answers = typed.ask();
    BOOST_REQUIRE_MESSAGE(answers.has_value(), answers.error().text);
    const std::string output = typed.output.str();
    BOOST_TEST(output.find("That cannot be taken: there is no interface \"eth9\" here") !=
               std::string::npos);
    BOOST_TEST(output.find("1/9  Which interfaces do clients reach?") != std::string::npos);
    BOOST_TEST(output.find("eth0: 172.16.1.2 fd16::2 (default route)") != std::string::npos);
    BOOST_TEST(output.find("secret") == std::string::npos);
    const config::Settings settings = settings_of(*answers);
    BOOST_TEST((settings.routers.at(0).password == "it's \"$${X} # 1\""));
    BOOST_TEST(settings.routers.at(0).host == "172.16.1.1");
    BOOST_TEST(plugin<config::RouterRows>(settings).groups[0] == "tunnel_v4");
    BOOST_TEST(plugin<config::RouterRows>(settings).groups[1].empty());
    BOOST_TEST(typed.lines.empty());
}

BOOST_AUTO_TEST_CASE(without_a_router_there_are_seven_questions) {
    Typed typed;
    typed.lines = {"", "", "", "", "", "", "", "", "one line too many"};
    BOOST_REQUIRE(typed.ask().has_value());
    BOOST_TEST(typed.lines.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_closed_input_is_an_error_that_names_the_option) {
    Typed typed;
    typed.lines = {"", ""};
    const auto answers = typed.ask();
    BOOST_REQUIRE(answers.has_error());
    BOOST_TEST(
        answers.error().text ==
        "the input ended at question 3 (clients): answer it by --allow, or take the defaults by "
        "--yes");
}

// ---- whatever is typed: the text says the same, or the answer is refused

std::string any_text(test::Random& random) {
    static const std::vector<std::string> kParts{"eth0",
                                                 "172.16.1.1",
                                                 "fd16::1",
                                                 "[fd16::1]:8728",
                                                 ":",
                                                 "8728",
                                                 "media.example",
                                                 "full:",
                                                 "domain:",
                                                 "regexp:^a.*$",
                                                 "keyword:",
                                                 "#",
                                                 " #",
                                                 ": ",
                                                 "- ",
                                                 "'",
                                                 "\"",
                                                 "\\",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ",",
                                                 "&",
                                                 "*",
                                                 "!",
                                                 "|",
                                                 ">",
                                                 "%",
                                                 "@",
                                                 "`",
                                                 "${HOME}",
                                                 "$${",
                                                 "${",
                                                 "$",
                                                 "~",
                                                 "null",
                                                 "true",
                                                 "no",
                                                 "yes",
                                                 "1e3",
                                                 "0x1f",
                                                 "012",
                                                 "1_000",
                                                 ".5",
                                                 "-",
                                                 "?",
                                                 "=",
                                                 "<<",
                                                 "..",
                                                 "/",
                                                 "64:ff9b::/96",
                                                 "10.0.0.0/8",
                                                 "tls://",
                                                 "udp://",
                                                 "\xc3\xa9",
                                                 "\xc2\x85",
                                                 "\xe2\x80\xa8",
                                                 "\xf0\x9f\x8c\x8d",
                                                 "\xff",
                                                 "\t",
                                                 " ",
                                                 "\n",
                                                 "none",
                                                 "later"};
    std::string out;
    for (std::uint32_t left = 1 + random.below(4); left > 0; --left)
        out += kParts[random.below(static_cast<std::uint32_t>(kParts.size()))];
    return out;
}

BOOST_AUTO_TEST_CASE(random_answers_are_refused_or_make_an_equivalent_configuration) {
    test::Random random(24);
    unsigned taken = 0, refused = 0;
    for (int round = 0; round < 1500; ++round) {
        Answers answers;
        const Given good{
            {"--interface", "eth0"}, {"--router", "172.16.1.1"}, {"--names", "a.example"}};
        const auto rows = questions();
        const auto chosen = random.below(static_cast<std::uint32_t>(rows.size()));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Question& question = rows[i];
            const auto known = good.find(question.option);
            const std::string proposal = known != good.end() ? known->second
                                         : question.proposes ? question.proposes(answers, a_host())
                                                             : "";
            if (question.applies != nullptr && !question.applies(answers)) continue;
            const std::string text = any_text(random);
            if (i == chosen && question.take(text, a_host(), answers)) {
                ++taken;
                if (question.secret)
                    BOOST_TEST((settings_of(answers).routers.at(0).password == text));
                if (question.option == "--router-user")
                    BOOST_TEST(settings_of(answers).routers.at(0).username == text);
                if (question.option == "--list")
                    BOOST_TEST(plugin<config::RouterRows>(settings_of(answers)).groups[0] ==
                               text + "_v4");
                continue;
            }
            refused += i == chosen ? 1 : 0;
            BOOST_REQUIRE(question.take(proposal, a_host(), answers).has_value());
        }
        settings_of(answers);
    }
    // Both happen, or nothing was tried.
    BOOST_TEST(taken > 100U);
    BOOST_TEST(refused > 100U);
}

}  // namespace
}  // namespace steer::init
