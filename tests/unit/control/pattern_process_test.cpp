// Expressions that are compiled in a process of their own: as in this one, and with an end.
#include "control/program/build/pattern_process.h"

#include <fcntl.h>
#include <hs/hs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "dataplane/port/descriptor.h"
#include "matchers/name_matcher.h"

using steer::Error;
using steer::build::kCompilePatterns;
using steer::build::PatternProcess;
using steer::matchers::Expression;
using steer::matchers::HereCompiler;
using steer::matchers::NameMatcherBuilder;
using steer::matchers::RuleKind;

BOOST_AUTO_TEST_SUITE(pattern_process)

namespace {

constexpr unsigned kFlags = HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS | HS_FLAG_DOTALL;

// Takes seconds to compile.
const std::string kSlow = "^(([a-z]{1,60}|[0-9]{1,60})[.-]){1,120}x";

std::vector<Expression> expressions(const std::vector<std::string>& texts) {
    std::vector<Expression> out;
    for (const std::string& text : texts)
        out.push_back({text, kFlags, static_cast<unsigned>(out.size())});
    return out;
}

bool holds(const hs_database* database, const std::string& text) {
    hs_scratch_t* scratch = nullptr;
    BOOST_TEST_REQUIRE(hs_alloc_scratch(database, &scratch) == HS_SUCCESS);
    bool found = false;
    hs_scan(
        database, text.data(), static_cast<unsigned>(text.size()), 0, scratch,
        [](unsigned, unsigned long long, unsigned long long, unsigned, void* out) {
            *static_cast<bool*>(out) = true;
            return 1;
        },
        &found);
    hs_free_scratch(scratch);
    return found;
}

struct InUse {
    explicit InUse(steer::matchers::PatternCompiler& compiler) {
        steer::matchers::use_pattern_compiler(&compiler);
    }
    ~InUse() { steer::matchers::use_pattern_compiler(nullptr); }
};

// With a starter of its own; `file`: the compile process, instead of this program.
struct WithStarter {
    explicit WithStarter(const std::string& file)
        : starter({file.empty() ? PatternProcess::this_program()
                                : steer::Starter::Program{.name = PatternProcess::kProgram,
                                                          .files = {file},
                                                          .words = {file, kCompilePatterns}}}) {}
    steer::Starter starter;
};
class TestedProcess : WithStarter, public PatternProcess {
  public:
    explicit TestedProcess(const std::string& file = {})
        : WithStarter(file), PatternProcess(starter) {}
};

// This program as the compile process; each start of it is a word in a named pipe.
class Watched {
  public:
    Watched() {
        std::string name = "/tmp/steerdns-patterns-XXXXXX";
        BOOST_TEST_REQUIRE((::mkdtemp(name.data()) != nullptr));
        folder_ = name;
        const std::string pipe = folder_ / "started";
        BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        // For both directions, so that neither end waits for the other to open it.
        started_ = steer::Descriptor(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
        BOOST_TEST_REQUIRE(started_.get() >= 0);
        std::ofstream(program()) << "#!/bin/sh\necho started >" << pipe
                                 << "\nexec /proc/$PPID/exe \"$@\"\n";
        std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
    }
    ~Watched() { std::filesystem::remove_all(folder_); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    [[nodiscard]] std::string program() const { return folder_ / "program"; }
    void wait_for_a_start() const {
        std::array<char, 8> word{};
        BOOST_TEST_REQUIRE(::read(started_.get(), word.data(), word.size()) > 0);
    }

  private:
    std::filesystem::path folder_;
    steer::Descriptor started_{-1};
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_process_gives_the_same_result_as_a_call) {
    const auto all = expressions({"^ads[0-9]+\\.", "(", "a{1,3}", "(?=a)b", "(a)\\1", "x*y+z?.*w+",
                                  "(a{1,1000}){1,1000}", std::string(20'000, 'a'), "[^.]{60,250}"});
    TestedProcess process;
    const auto there = process.check(all);
    const auto here = HereCompiler().check(all);
    BOOST_TEST_REQUIRE(there.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        BOOST_TEST((there[i].why == here[i].why), all[i].text.substr(0, 40)
                                                      << ": " << there[i].why.value_or("good"));
        BOOST_TEST(!there[i].over_budget);
    }
    BOOST_TEST((process.check(all)[1].why == here[1].why), "from memory");
}

BOOST_AUTO_TEST_CASE(a_database_of_the_process_finds_its_patterns) {
    TestedProcess process;
    const auto made = process.compile(expressions({"^ads[0-9]+", "banner$"}));
    BOOST_TEST_REQUIRE((made.database != nullptr), made.why);
    BOOST_TEST(holds(made.database.get(), "ads12.example"));
    BOOST_TEST(holds(made.database.get(), "big.banner"));
    BOOST_TEST(!holds(made.database.get(), "www.example"));
    const auto bad = process.compile(expressions({"good", "("}));
    BOOST_TEST((bad.database == nullptr));
    BOOST_TEST((bad.which == 1U));
    BOOST_TEST(!bad.over_budget);
}

BOOST_AUTO_TEST_CASE(only_the_slow_expression_is_refused) {
    TestedProcess process;
    process.set_budget({.time_ms = 400});
    const auto begun = std::chrono::steady_clock::now();
    const auto checked = process.check(expressions({"^ads", kSlow, "banner[0-9]"}));
    BOOST_TEST(!checked[0].why.has_value());
    BOOST_TEST_REQUIRE(checked[1].why.has_value());
    BOOST_TEST(checked[1].why->find("'pattern_time' of 'control' is 400 ms") != std::string::npos,
               *checked[1].why);
    BOOST_TEST(checked[1].over_budget);
    const auto made = process.compile(expressions({"^ads", kSlow}));
    BOOST_TEST((made.database == nullptr));
    BOOST_TEST(made.over_budget);
    BOOST_TEST(made.why.find("400 ms of CPU time") != std::string::npos, made.why);
    BOOST_TEST((std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)));
}

BOOST_AUTO_TEST_CASE(a_rule_over_the_time_is_named_with_file_and_line) {
    TestedProcess process;
    process.set_budget({.time_ms = 400});
    const InUse in_use(process);
    NameMatcherBuilder builder;
    builder.add(0, {RuleKind::regexp, "^ads[0-9]"}, "good.txt", 1);
    builder.add(0, {RuleKind::regexp, kSlow}, "list.txt", 7);
    std::vector<Error> errors, warnings;
    builder.check(errors, warnings);
    BOOST_TEST_REQUIRE(errors.size() >= 1U);
    BOOST_TEST(errors[0].sentence().find("list.txt:7: the regexp ") == 0U, errors[0].sentence());
    BOOST_TEST(errors[0].sentence().find("is refused: it takes more than") != std::string::npos,
               errors[0].sentence());
    BOOST_TEST((builder.build(errors, warnings) == nullptr));
}

BOOST_AUTO_TEST_CASE(the_process_has_a_memory_limit) {
    TestedProcess process;
    process.set_budget({.time_ms = 60'000, .memory = 1 << 20});
    const auto checked = process.check(expressions({kSlow}));
    BOOST_TEST_REQUIRE(checked[0].why.has_value());
    BOOST_TEST_MESSAGE(*checked[0].why);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_running_compilation) {
    const Watched watched;
    TestedProcess process(watched.program());
    auto running = std::async(std::launch::async, [&] {
        return process.compile(expressions({kSlow, kSlow + "y"}));
    });
    watched.wait_for_a_start();
    process.stop();
    const auto made = running.get();
    BOOST_TEST((made.database == nullptr));
    BOOST_TEST(made.why == "steerdnsd is stopping");
}

BOOST_AUTO_TEST_CASE(after_a_stop_nothing_is_started) {
    TestedProcess process("/nonexistent/steerdnsd");  // a start would be another error
    process.stop();
    BOOST_TEST(process.compile(expressions({"a"})).why == "steerdnsd is stopping");
    BOOST_TEST(process.check(expressions({"a"}))[0].why.value_or("") == "steerdnsd is stopping");
}

BOOST_AUTO_TEST_CASE(progress_is_reported_every_five_seconds) {
    TestedProcess process;
    process.set_budget({.time_ms = 400});
    std::uint64_t now_ms = 1'000;
    std::vector<std::string> reported;
    process.set_progress({[&](const std::string& sentence) { reported.push_back(sentence); },
                          [&] { return now_ms += PatternProcess::kTellEveryMs / 2; }});
    process.check(expressions({"^ads", kSlow, "banner[0-9]"}));
    BOOST_TEST_REQUIRE(!reported.empty());
    BOOST_TEST(reported.front().starts_with("checking patterns: "), reported.front());
    BOOST_TEST(reported.front().ends_with(" of 3 are done"), reported.front());
    reported.clear();
    const std::uint64_t begun_ms = now_ms;
    process.compile(expressions({"^ads", kSlow}));
    BOOST_TEST_REQUIRE(!reported.empty());
    BOOST_TEST(reported.front() == "compiling 2 patterns together");
    BOOST_TEST(reported.size() <= (now_ms - begun_ms) / PatternProcess::kTellEveryMs);
}

BOOST_AUTO_TEST_CASE(a_missing_or_killed_process_is_an_error) {
    TestedProcess none("/nonexistent/steerdnsd");
    BOOST_TEST(none.compile(expressions({"a"})).why.find("cannot be started (No such file") !=
               std::string::npos);
    BOOST_TEST(none.check(expressions({"a"}))[0].over_budget);
    TestedProcess early("/bin/true");
    BOOST_TEST(early.compile(expressions({"a"})).why == "the compile process ended too early");
    BOOST_TEST(early.check(expressions({"a", "b"}))[1].why.has_value());
}

BOOST_AUTO_TEST_CASE(expressions_of_kept_images_are_not_checked_again) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < PatternProcess::kLeastToRead; ++i)
        texts.push_back("^x" + std::to_string(i));
    const auto known = expressions(texts);
    TestedProcess process("/nonexistent/steerdnsd");  // nothing can be compiled
    std::vector<std::string> read;
    process.set_kept([&](const std::string& folder) {
        read.push_back(folder);
        return known;
    });
    process.set_images("/images");
    for (int turn = 0; turn < 2; ++turn) {
        for (const auto& checked : process.check(known))
            BOOST_TEST(!checked.why.has_value());
        process.set_images("/images");
    }
    BOOST_TEST(read == std::vector<std::string>{"/images"}, boost::test_tools::per_element());
    texts.back() = "^another";
    const auto fresh = process.check(expressions(texts));
    BOOST_TEST(fresh.back().why.has_value());
    BOOST_TEST(!fresh.front().why.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
