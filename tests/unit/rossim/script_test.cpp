// Scripts: their language, how they are run, what they cost.
#include <boost/test/unit_test.hpp>
#include <random>

#include "api_client.h"

namespace rossim::test {
namespace {

struct ScriptFixture : Bench {
    explicit ScriptFixture(Options options = {}) : Bench(with_ftp(std::move(options))) {
        s = connect();
    }
    static Options with_ftp(Options options) {
        if (options.users.size() == 1) options.users[0].policies.emplace_back("ftp");
        return options;
    }
    std::string raw(const std::string& script) {
        const auto got = ask(s, {"/execute", "=script=" + script, "=as-string="});
        if (got.at(0).words[0] == "!trap") return "trap " + value_of(got[0].words, "message");
        return value_of(got[0].words, "ret");
    }
    // What the script put, with the ends of its lines as they are here, or how it was refused.
    std::string execute(const std::string& script) {
        std::string text = raw(script);
        std::erase(text, '\r');
        if (text.ends_with('\n')) text.pop_back();
        return text;
    }
    std::string trap(const Words& words) {
        const auto got = ask(s, words);
        BOOST_REQUIRE(got.size() == 2);
        return value_of(got[0].words, "category") + " " + value_of(got[0].words, "message");
    }
    // "x 10.0.0.1 comment; ..."
    std::string rows(Family family = Family::ipv4) const {
        std::string text;
        for (const RowView& row : router.rows(family)) {
            text += (text.empty() ? "" : "; ") + row.list + " " + row.address;
            if (!row.comment.empty()) text += " " + row.comment;
        }
        return text;
    }
    SessionId s = 0;
};

BOOST_FIXTURE_TEST_SUITE(script, ScriptFixture)

BOOST_AUTO_TEST_CASE(netwatch_runs_a_script_when_its_host_changes) {
    ask(s, {"/tool/netwatch/add", "=host=192.0.2.1",
            "=down-script=/ip firewall address-list add list=x address=10.0.0.1",
            "=up-script=/ip firewall address-list remove [find where list=x]"});
    ask(s, {"/tool/netwatch/add", "=host=192.0.2.2", "=down-script=:error oh"});
    BOOST_TEST(router.netwatch("192.0.2.1", false, now_us) == 1U);
    BOOST_TEST(rows() == "x 10.0.0.1");
    BOOST_TEST(router.netwatch("192.0.2.1", false, now_us) == 0U);
    BOOST_TEST(router.netwatch("192.0.2.1", true, now_us) == 1U);
    BOOST_TEST(rows() == "");
    BOOST_TEST(router.netwatch("192.0.2.3", false, now_us) == 0U);
    BOOST_CHECK_THROW(router.netwatch("192.0.2.2", false, now_us), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(commands_may_use_paths_or_menu_lines) {
    BOOST_TEST(execute("# a comment; with a semicolon\n"
                       "/ip/firewall/address-list/add list=x address=10.0.0.1 comment=\"a b\"\n"
                       "/ip firewall address-list add list=x address=10.0.0.2/32;\r\n"
                       "/ip firewall address-list\n"
                       "add list=x \\\n    address=10.0.0.3 timeout=1h\n"
                       "add list=y address=10.0.0.4 disabled=yes\n"
                       "/ipv6/firewall/address-list\n"
                       "add list=x address=2001:db8::1\n") == "");
    BOOST_TEST(rows() == "x 10.0.0.1 a b; x 10.0.0.2; x 10.0.0.3; y 10.0.0.4");
    BOOST_TEST(rows(Family::ipv6) == "x 2001:db8::1/128");
    BOOST_TEST(router.rows(Family::ipv4).at(2).left_us.value() == 3600 * kSecond);
    BOOST_TEST(router.rows(Family::ipv4).at(3).disabled);
}

BOOST_AUTO_TEST_CASE(find_selects_rows) {
    const std::string add = "/ip/firewall/address-list/add ";
    execute(add + "list=x address=10.0.0.1 comment=a;" + add +
            "list=x address=10.0.0.2 comment=b;" + add + "list=y address=10.0.0.3 comment=a;" +
            add + "list=y address=10.0.0.4");
    execute(kMenu + "/remove [find list=x comment=\"a\"]");
    BOOST_TEST(rows() == "x 10.0.0.2 b; y 10.0.0.3 a; y 10.0.0.4");
    BOOST_TEST(
        execute("/ip firewall address-list\nset [find where list=y and address=10.0.0.4] comment=c "
                "timeout=1m\nremove [find list=none]") == "");
    BOOST_TEST(rows() == "x 10.0.0.2 b; y 10.0.0.3 a; y 10.0.0.4 c");
    BOOST_TEST(execute(":put [" + kMenu + "/find dynamic=no]") == "*2,*3");
    execute(kMenu + "/disable numbers=[find dynamic=no]");
    BOOST_TEST(router.rows(Family::ipv4).at(1).disabled);
    execute(kMenu + "/remove *2;" + kMenu + "/remove [find]");
    BOOST_TEST(rows() == "");
}

BOOST_AUTO_TEST_CASE(an_error_is_caught_and_counted) {
    BOOST_TEST(execute(":local ok 0\n:local bad \"\"\n"
                       "/ip firewall address-list\n"
                       ":do { add list=x address=10.0.0.1; :set ok ($ok + 1) } "
                       "on-error={ :set bad ($bad . \" 0\") }\n"
                       ":do { add list=x address=10.0.0.1\n:set ok ($ok + 1) } "
                       "on-error={ :set bad ($bad . \" 1\") }\n"
                       ":do { add list=x address=10.0.0.2; :set ok ($ok+1) } on-error={}\n"
                       ":put \"ok=$ok bad=$bad\"\n:put (\"twice=\" . $ok * 2 - 1)") ==
               "ok=2 bad= 1\ntwice=3");
    BOOST_TEST(rows() == "x 10.0.0.1; x 10.0.0.2");
}

BOOST_AUTO_TEST_CASE(an_uncaught_error_ends_the_script) {
    const std::string add = kMenu + "/add list=x address=";
    BOOST_TEST(execute(":put a\n" + add + "10.0.0.1\n" + add + "10.0.0.1\n" + add + "10.0.0.2") ==
               "a\nfailure: already have such entry (/ip/firewall/address-list/add; line 3)");
    BOOST_TEST(rows() == "x 10.0.0.1");
    BOOST_TEST(execute(":do { :do { " + add + "10.0.0.1 } on-error={ " + add +
                       "10.0.0.1 }; :put never } on-error={ :put outer }") == "outer");
    Options options;
    options.execute_error_is_trap = true;
    ScriptFixture f(options);
    BOOST_TEST(f.execute(kMenu + "/remove *7") == "trap no such item");
}

BOOST_AUTO_TEST_CASE(each_line_of_put_ends_in_cr_lf) {
    BOOST_TEST(raw(":put a; :put b") == "a\r\nb\r\n");
    BOOST_TEST(raw(":put a\n" + kMenu + "/remove *7") == "a\r\nno such item");
}

BOOST_AUTO_TEST_CASE(errors_name_their_place_since_a_version) {
    const auto refused = [](Version version, const std::string& script) {
        Options options;
        options.version = version;
        return ScriptFixture(options).execute(script);
    };
    const std::string twice =
        kMenu + "/add list=x address=10.0.0.1\n" + kMenu + "/add list=x address=10.0.0.1";
    BOOST_TEST(refused({7, 19}, twice) == "failure: already have such entry");
    BOOST_TEST(refused({7, 20}, twice) ==
               "failure: already have such entry (/ip/firewall/address-list/add; line 2)");
    const std::string none = "\n" + kMenu + "/add address=10.0.0.1";
    BOOST_TEST(refused({7, 21}, none) == "missing value(s) of argument(s) list");
    BOOST_TEST(refused({7, 22}, none) ==
               "missing value(s) of argument(s) list (/ip/firewall/address-list/add; line 2)");
    BOOST_TEST(refused({7, 7}, ":put a") == "trap unknown parameter as-string");
    BOOST_TEST(refused({7, 8}, ":put a") == "a");
}

BOOST_AUTO_TEST_CASE(values_are_evaluated_as_on_a_router) {
    BOOST_TEST(execute(":put \"tab\\tquote\\\" \\41 \\$x\"") == "tab\tquote\" A $x");
    BOOST_TEST(execute(":local a 7; :local b [" + kMenu +
                       "/add list=x address=10.0.0.1]; "
                       ":put (\"$a$b\" . \"-\" . (1 - 3))") == "7*1--2");
    BOOST_TEST(execute(":put $nothing") == "");
    BOOST_TEST(execute(":local a; :set a x; :do { :local a y; :set a z } on-error={}; :put $a") ==
               "x");
    BOOST_TEST(execute(":put (1 + a)") == "cannot add string to a number");
    BOOST_TEST(execute(":put (9223372036854775807 + 1)") == "number out of range");
}

BOOST_AUTO_TEST_CASE(a_script_with_a_syntax_error_runs_no_command) {
    const std::string add = kMenu + "/add list=x address=10.0.0.1\n";
    BOOST_TEST(execute(add + ":put (") == "syntax error (line 2 column 7)");
    BOOST_TEST(execute(add + "  :put a b") == "expected end of command (line 2 column 10)");
    BOOST_TEST(execute(":set x 1") == "syntax error (line 1 column 6)");
    BOOST_TEST(execute(":do { :put a") == "syntax error (line 1 column 13)");
    BOOST_TEST(execute(":put \"a") == "syntax error (line 1 column 8)");
    BOOST_TEST(execute("}") == "syntax error (line 1 column 1)");
    BOOST_TEST(execute(kMenu + "/remove [find list=x") == "syntax error (line 1 column 46)");
    BOOST_TEST(rows() == "");
    const std::string deep(2000, '(');
    BOOST_TEST(execute(":put " + deep) == "syntax error (line 1 column 66)");
    std::string long_sum = ":put (1";
    for (int i = 0; i < 20'000; ++i)
        long_sum += "+1";
    BOOST_TEST(execute(long_sum + ")") == "20001");
}

// /console's parser puts an error in the command's place; until 7.22 an unknown argument refuses the whole text.
BOOST_AUTO_TEST_CASE(commands_and_arguments_that_the_router_does_not_have) {
    const auto run = [](Version version, const std::string& script) {
        Options options;
        options.version = version;
        ScriptFixture fixture(options);
        const std::string output = fixture.execute(script);
        return output + " | " + fixture.rows();
    };
    const std::string add = kMenu + "/add list=x address=10.0.0.1\n";
    for (const Version version : {Version{7, 9}, Version{7, 22}, Version{7, 24}}) {
        BOOST_TEST(run(version, add + ":frobnicate 1 [x \"]\"]") ==
                   "bad command name frobnicate (line 2 column 1) | x 10.0.0.1");
        BOOST_TEST(run(version, add + kMenu + "/ad list=x") ==
                   "bad command name ad (line 2 column 1) | x 10.0.0.1");
        BOOST_TEST(run(version, add + ":do { /no such thing=1 } on-error={ :put caught }") ==
                   "caught | x 10.0.0.1");
        BOOST_TEST(run(version, ":put [" + kMenu + "/ad list=x]") ==
                   "bad command name ad (line 1 column 7) | ");
    }
    const std::string unknown = add + kMenu + "/add list=x address=10.0.0.2 colour=red";
    BOOST_TEST(run({7, 22}, unknown) == "expected end of command (line 2 column 1) | ");
    BOOST_TEST(run({7, 23}, unknown) == "expected end of command (line 2 column 1) | x 10.0.0.1");
    // Menus by version: ad lists arrived with 7.15.
    BOOST_TEST(run({7, 14}, "/ip/dns/adlist/add url=http://a.example/") ==
               "bad command name adlist (line 1 column 1) | ");
    BOOST_TEST(run({7, 15}, "/ip/dns/adlist/add url=http://a.example/") == " | ");
}

BOOST_AUTO_TEST_CASE(values_have_a_limit) {
    std::string script = ":local a 0123456789";
    for (int i = 0; i < 40; ++i)
        script += ";:set a ($a . $a)";
    BOOST_TEST(execute(script) == "out of memory");
}

BOOST_AUTO_TEST_CASE(scripts_are_added_run_and_removed) {
    const std::string source = kMenu + "/add list=x address=10.0.0.1";
    const auto id = value_of(
        ask(s, {"/system/script/add", "=name=bulk", "=source=" + source}).at(0).words, "ret");
    BOOST_TEST(ask(s, {"/system/script/run", "=.id=" + id}).at(0).words[0] == "!done");
    BOOST_TEST(rows() == "");  // as on a router, nothing happens
    const auto ran = ask(s, {"/system/script/run", "=number=" + id});
    BOOST_TEST(ran.size() == 1U);
    BOOST_TEST(ran[0].words == (Words{"!done"}), boost::test_tools::per_element());
    BOOST_TEST(rows() == "x 10.0.0.1");
    BOOST_TEST(trap({"/system/script/run", "=number=bulk"}) ==
               "3 failure: already have such entry (/ip/firewall/address-list/add; line 1)");
    BOOST_TEST(trap({"/system/script/run", "=number=other"}) == "0 no such item");
    BOOST_TEST(trap({"/system/script/run"}) == "0 missing value(s) of argument(s) number");
    ask(s, {"/system/script/set", "=.id=" + id, "=source=:put ("});
    BOOST_TEST(trap({"/system/script/run", "=number=bulk"}) == "3 syntax error (line 1 column 7)");
    BOOST_TEST(router.flash_sectors() == 3U);  // two of the script, one row
    ask(s, {"/system/script/remove", "=.id=" + id});
    BOOST_TEST(ask(s, {"/system/script/print"}).at(0).words[0] == "!empty");
}

BOOST_AUTO_TEST_CASE(a_file_is_imported) {
    ask(s, {"/file/add", "=name=rows.rsc",
            "=contents=/ip firewall address-list\nadd list=x address=10.0.0.1\n"});
    BOOST_TEST(ask(s, {"/import", "=file-name=rows.rsc"}).at(0).words[0] == "!done");
    BOOST_TEST(rows() == "x 10.0.0.1");
    BOOST_TEST(trap({"/import", "=file-name=rows.rsc", "=verbose=yes"}) ==
               "3 failure: already have such entry (/ip/firewall/address-list/add; line 2)");
    BOOST_TEST(trap({"/import", "=file-name=none.rsc"}) ==
               "1 input does not match any value of file-name");
    ask(s, {"/file/set", "=numbers=*1", "=contents=" + kMenu + "/remove [find]"});
    ask(s, {"/import", "=file-name=rows.rsc"});
    BOOST_TEST(rows() == "");
}

BOOST_AUTO_TEST_CASE(scripts_need_rights_a_version_and_a_limited_size) {
    BOOST_TEST(trap({"/execute", "=script=" + std::string((64U << 10) + 1, ' ')}) ==
               " failure: value of script is too long");
    BOOST_TEST(
        trap({"/system/script/add", "=name=a", "=source=" + std::string((64U << 10) + 1, ' ')}) ==
        " failure: value of source is too long");
    BOOST_TEST(trap({"/file/add", "=name=a", "=contents=" + std::string((60U << 10) + 1, ' ')}) ==
               " failure: value of contents is too long");
    BOOST_TEST(trap({"/execute", "=script=:put a", "=shout=yes"}) == "0 unknown parameter shout");

    Options old;
    old.version = {6, 49};
    ScriptFixture six(old);
    BOOST_TEST(six.trap({"/execute", "=script=:put a", "=as-string="}) ==
               "0 unknown parameter as-string");
    BOOST_TEST(six.trap({"/file/add", "=name=a"}) == "0 no such command");
    BOOST_TEST(six.ask(six.s, {"/execute", "=script=:put a"})[0].words[0] == "!done");

    Options readers;
    readers.users = {{"admin", "", {"read", "api"}}, {"other", "", {"api"}}};
    ScriptFixture reader(readers);
    BOOST_TEST(reader.execute(kMenu + "/add list=x address=10.0.0.1") ==
               "not enough permissions (9)");
    BOOST_TEST(reader.execute(":put [" + kMenu + "/find]") == "");
    BOOST_TEST(reader.trap({"/import", "=file-name=a"}) == " not enough permissions (9)");
    BOOST_TEST(reader.trap({"/file/print"}) == " not enough permissions (9)");
    readers.file_needs_ftp = false;
    ScriptFixture without_ftp(readers);
    BOOST_TEST(without_ftp.ask(without_ftp.s, {"/file/print"})[0].words[0] == "!empty");
}

BOOST_AUTO_TEST_CASE(a_script_costs_the_time_of_its_commands) {
    ScriptFixture f(fast());
    f.router.prefill(Family::ipv4, "p", 100, f.now_us);
    std::string script;
    for (int i = 0; i < 50; ++i) {
        script += ":do { /ip/firewall/address-list/add list=x address=10.0.0." + std::to_string(i) +
                  " } on-error={}\n";
    }
    std::int64_t begin_us = f.now_us;
    f.execute(script);
    BOOST_TEST(f.now_us - begin_us == 300 + 50 * (15 + 1000));
    begin_us = f.now_us;
    f.execute(kMenu + "/remove [find list=x]");
    BOOST_TEST(f.now_us - begin_us == 300 + 15 + 15 + 150 * 14 + 50 * 2500);
    begin_us = f.now_us;
    f.execute(":local a 1; :put $a");
    BOOST_TEST(f.now_us - begin_us == 300);
    const Report& report = f.router.report();
    BOOST_TEST(report.cpu_us_of(CpuClass::script) == 300 * 3 + 50 * 1015 + 30 + 150 * 14 + 125'000);
    BOOST_TEST(report.cpu_us_of(CpuClass::add) == 0);
    BOOST_TEST(report.adds == 50U);
    BOOST_TEST(report.rows_scanned == 150U);
}

BOOST_AUTO_TEST_CASE(a_script_shares_the_cpu) {
    ScriptFixture f(fast());
    std::string script = "/ip firewall address-list\n";
    for (int i = 0; i < 200; ++i)
        script += "add list=x address=10.0.1." + std::to_string(i) + "\n";
    f.write(f.s, {"/execute", ".tag=S", "=script=" + script, "=as-string="});
    f.run_until(f.now_us + 50'000);
    const std::size_t before = f.router.row_count(Family::ipv4);
    BOOST_TEST(before > 40U);  // they come one after the other
    BOOST_TEST(before < 50U);
    const SessionId t = f.connect();
    const std::int64_t begin_us = f.now_us;
    f.ask(t, {kMenu + "/add", "=list=y", "=address=10.0.0.1"});
    BOOST_TEST(f.now_us - begin_us <= 5000 + 1300);
    f.write(f.s, {"/cancel", "=tag=S", ".tag=C"});
    f.run_until(f.now_us + kSecond);
    BOOST_TEST(f.take(f.s).size() == 3U);
    BOOST_TEST(f.router.row_count(Family::ipv4) < before + 20);
}

BOOST_AUTO_TEST_CASE(a_script_may_run_in_the_background_and_without_its_client) {
    for (const bool outlives : {false, true}) {
        Options options = fast();
        options.script_outlives_session = outlives;
        ScriptFixture f(options);
        std::string script = "/ip firewall address-list\n";
        for (int i = 0; i < 20; ++i)
            script += "add list=x address=10.0.1." + std::to_string(i) + "\n";
        const auto got = f.ask(f.s, {"/execute", "=script=" + script});
        BOOST_TEST(value_of(got[0].words, "ret") == "*1");
        BOOST_TEST(f.rows() == "");
        f.ask(f.s, {"/cancel", ".tag=C"});  // no command has this tag
        f.router.close(f.s, f.now_us);
        f.run_until(f.now_us + kSecond);
        BOOST_TEST(f.router.row_count(Family::ipv4) == 20U);
        f.s = f.connect();
        f.write(f.s, {"/execute", "=as-string=", "=script=" + kMenu + "/remove [find]"});
        f.run_until(f.now_us + 10'000);
        f.router.close(f.s, f.now_us);
        f.run_until(f.now_us + kSecond);
        BOOST_TEST(f.router.row_count(Family::ipv4) == (outlives ? 0U : 20U));
    }
}

BOOST_AUTO_TEST_CASE(scripts_may_use_other_menus) {
    execute(
        "/routing table add name=rt1 fib=yes\n"
        "/ip firewall mangle add chain=prerouting action=mark-routing new-routing-mark=rt1\n"
        "/ip dns set servers=192.0.2.53\n"
        "/ip firewall mangle remove [find chain=input]\n"
        "/ip firewall mangle set [find new-routing-mark=rt1] comment=ours");
    BOOST_TEST(ask(s, {"/ip/firewall/mangle/print", "?comment=ours"}).size() == 2U);
    BOOST_TEST(value_of(ask(s, {"/ip/dns/print"}).at(0).words, "servers") == "192.0.2.53");
    BOOST_TEST(execute("/ip/firewall/mangle/add chain=a new-routing-mark=rt2") ==
               "input does not match any value of new-routing-mark");
}

// Whatever comes, there is one answer and the router lives.
BOOST_AUTO_TEST_CASE(random_scripts_cause_no_fault) {
    constexpr std::string_view kTokens[] = {"/ip/firewall/address-list/",
                                            "/ip firewall ",
                                            "address-list ",
                                            "add ",
                                            "remove ",
                                            "set ",
                                            "find ",
                                            "list=x ",
                                            "address=10.0.0.1 ",
                                            "address=$a ",
                                            "comment=\"$a\" ",
                                            "[",
                                            "]",
                                            "(",
                                            ")",
                                            "{",
                                            "}",
                                            ":do ",
                                            "on-error=",
                                            ":local a ",
                                            ":set a ",
                                            ":put ",
                                            "$a",
                                            "\"",
                                            "\\",
                                            "1",
                                            " + ",
                                            " . ",
                                            "*1 ",
                                            ";",
                                            "\n",
                                            "where ",
                                            "and ",
                                            "=",
                                            "#",
                                            " "};
    const unsigned seed = 42;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 5000; ++i) {
        std::string script = i % 2 == 0 ? ":local a 1;" : "";
        for (auto tokens = random() % 24; tokens > 0; --tokens)
            script += kTokens[random() % std::size(kTokens)];
        const auto got = ask(s, {"/execute", "=script=" + script, "=as-string="});
        BOOST_REQUIRE(got.size() == 1);
        BOOST_REQUIRE(got[0].words[0] == "!done");
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
