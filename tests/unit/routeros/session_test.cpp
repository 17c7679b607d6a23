#include "routeros/session.h"

#include <boost/test/unit_test.hpp>

namespace steer::routeros {
namespace {

using Words = std::vector<std::string>;

std::string sentence(const Words& words) {
    std::string bytes;
    for (const auto& word : words)
        append_word(bytes, word);
    append_end(bytes);
    return bytes;
}

// Of "/x/listen", without arguments.
Command command(std::string_view path) {
    const auto slash = path.rfind('/');
    const auto menu = slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
    return Command{CommandForm{menu, path.substr(slash + 1), {}, {}}};
}

struct Listener final : SessionHandler {
    void on_login(const Ending& ending) override { logins.push_back(ending); }
    void on_row(Tag tag, const ReplyRow& row) override {
        rows.push_back({tag, std::string{row.get("address").value_or("-")}});
    }
    void on_end(Tag tag, const Ending& ending) override { endings.push_back({tag, ending}); }
    void on_broken(std::string_view reason) override { broken.emplace_back(reason); }

    std::vector<Ending> logins;
    std::vector<std::pair<Tag, std::string>> rows;
    std::vector<std::pair<Tag, Ending>> endings;
    Words broken;
};

struct SessionFixture {
    // What the session sent since the last call, as sentences.
    std::vector<Words> sent() {
        std::vector<Words> out;
        Decoder decoder;
        decoder.feed(session.take_output());
        std::vector<std::string_view> words;
        while (decoder.next(words) == Decoder::Status::sentence)
            out.emplace_back(words.begin(), words.end());
        return out;
    }
    void say(const Words& words) { session.feed(sentence(words)); }

    Listener received;
    Session session{received};
};

BOOST_FIXTURE_TEST_SUITE(session, SessionFixture)

BOOST_AUTO_TEST_CASE(a_plain_login_succeeds) {
    session.login("sync", "pass=word");
    BOOST_TEST(
        (sent() == std::vector<Words>{{"/login", "=name=sync", "=password=pass=word", ".tag=1"}}));
    say({"!done", ".tag=1"});
    BOOST_REQUIRE(received.logins.size() == 1U);
    BOOST_TEST(received.logins[0].ok);
    BOOST_TEST(session.outstanding() == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_login_is_reported) {
    session.login("sync", "x");
    say({"!trap", ".tag=1", "=message=invalid user name or password (6)"});
    BOOST_TEST(received.logins.empty());
    say({"!done", ".tag=1"});
    BOOST_REQUIRE(received.logins.size() == 1U);
    BOOST_TEST(!received.logins[0].ok);
    BOOST_TEST(received.logins[0].message == "invalid user name or password (6)");
}

BOOST_AUTO_TEST_CASE(a_challenge_login_succeeds) {
    BOOST_TEST(challenge_response("passTest", "abc123") != "");
    // go-routeros' vector; its challenge is the three bytes ab c1 23.
    BOOST_TEST(challenge_response("passTest", "\xab\xc1\x23") ==
               "0021277bff9ac7caf06aa608e46616d47f");
    session.login("userTest", "passTest");
    BOOST_TEST(sent().size() == 1U);
    say({"!done", ".tag=1", "=ret=abc123"});
    BOOST_TEST(received.logins.empty());
    BOOST_TEST(
        (sent() == std::vector<Words>{{"/login", "=name=userTest",
                                       "=response=0021277bff9ac7caf06aa608e46616d47f", ".tag=2"}}));
    say({"!done", ".tag=2"});
    BOOST_REQUIRE(received.logins.size() == 1U);
    BOOST_TEST(received.logins[0].ok);
}

BOOST_AUTO_TEST_CASE(an_invalid_challenge_fails) {
    session.login("a", "b");
    say({"!done", ".tag=1", "=ret=xyz"});
    BOOST_TEST(received.broken.size() == 1U);
}

BOOST_AUTO_TEST_CASE(replies_interleave_and_the_tag_may_be_anywhere) {
    const Tag a = session.send(command("/a")), b = session.send(command("/b"));
    const auto tag = [](Tag t) { return ".tag=" + std::to_string(t); };
    BOOST_TEST(sent().size() == 2U);
    BOOST_TEST(session.outstanding() == 2U);
    say({"!re", tag(b), "=address=1"});
    say({"!re", "=address=2", tag(a)});
    say({"!re", "=address=", "=x=.tag=99", tag(a)});
    say({"!trap", "=category=4", tag(b), "=message=failure: already have such entry"});
    say({"!done", "=ret=*3", tag(a)});
    say({"!done", tag(b)});
    const std::vector<std::pair<Tag, std::string>> rows{{b, "1"}, {a, "2"}, {a, ""}};
    BOOST_TEST((received.rows == rows));
    BOOST_REQUIRE(received.endings.size() == 2U);
    BOOST_TEST(received.endings[0].first == a);
    BOOST_TEST(received.endings[0].second.ret == "*3");
    BOOST_TEST(!received.endings[1].second.ok);
    BOOST_TEST(received.endings[1].second.category == 4);
    BOOST_TEST(received.endings[1].second.says("already have such entry"));
    BOOST_TEST(session.outstanding() == 0U);
}

BOOST_AUTO_TEST_CASE(an_empty_reply_does_not_end_a_sentence) {
    session.send(command("/print"));
    say({"!empty", ".tag=1"});
    BOOST_TEST(received.endings.empty());
    say({"!done", ".tag=1"});
    BOOST_TEST(received.endings.size() == 1U);
}

BOOST_AUTO_TEST_CASE(fatal_ends_the_session) {
    session.send(command("/quit"));
    session.feed(sentence({"!fatal", "session terminated on request"}) +
                 sentence({"!done", ".tag=1"}));
    BOOST_TEST((received.broken == Words{"session terminated on request"}));
    BOOST_TEST(received.endings.empty());
    BOOST_TEST(session.broken());
    session.reset();
    session.send(command("/a"));
    say({"!done", ".tag=2"});
    BOOST_TEST(received.endings.size() == 1U);
}

BOOST_AUTO_TEST_CASE(invalid_bytes_end_the_session) {
    session.feed("\xff");
    BOOST_TEST(received.broken.size() == 1U);
}

BOOST_AUTO_TEST_CASE(replies_with_unknown_tags_are_counted) {
    say({"!re", ".tag=77", "=address=1"});
    say({"!re", "=address=1"});
    say({"!re", ".tag=x"});
    session.send(command("/a"));
    say({"!what", ".tag=1"});
    BOOST_TEST(session.unknown_sentences() == 4U);
    BOOST_TEST(received.rows.empty());
}

BOOST_AUTO_TEST_CASE(a_listen_is_interrupted) {
    const Tag tag = session.send(command("/x/listen"));
    say({"!trap", ".tag=1", "=category=2", "=message=interrupted"});
    say({"!done", ".tag=1"});
    BOOST_REQUIRE(received.endings.size() == 1U);
    BOOST_TEST(received.endings[0].first == tag);
    BOOST_TEST(received.endings[0].second.message == "interrupted");
}

BOOST_AUTO_TEST_CASE(replies_may_come_byte_by_byte) {
    session.login("a", "b");
    const auto bytes = sentence({"!done", ".tag=1"});
    for (const char c : bytes)
        session.feed({&c, 1});
    BOOST_TEST(received.logins.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_reply_with_too_many_rows_ends_the_session) {
    session.limit_replies({.rows = 3, .bytes = 1'000});
    const Tag print = session.send(command("/x/print"));
    const Tag listen = session.send(command("/x/listen"), Session::Reply::endless);
    for (int i = 0; i < 100; ++i)
        say({"!re", ".tag=" + std::to_string(listen), "=address=1"});
    for (int i = 0; i < 3; ++i)
        say({"!re", ".tag=" + std::to_string(print), "=address=1"});
    BOOST_TEST(!session.broken());
    say({"!re", ".tag=" + std::to_string(print), "=address=1"});
    BOOST_TEST(session.flooded());
    BOOST_TEST(received.broken.size() == 1U);
    BOOST_TEST(received.rows.size() == 103U);
    session.reset();
    BOOST_TEST(!session.flooded());
}

BOOST_AUTO_TEST_CASE(a_reply_with_too_many_bytes_ends_the_session) {
    session.limit_replies({.rows = 100, .bytes = 1'000});
    const Tag print = session.send(command("/x/print"));
    say({"!re", ".tag=" + std::to_string(print), "=address=" + std::string(900, 'x')});
    BOOST_TEST(!session.flooded());
    say({"!re", ".tag=" + std::to_string(print), "=address=" + std::string(900, 'x')});
    BOOST_TEST(session.flooded());
}

BOOST_AUTO_TEST_CASE(messages_and_reasons_are_safe_text) {
    const Tag tag = session.send(command("/x/print"));
    say({"!trap", "=message=a\r\nb\x1b" + std::string(5'000, 'x'), ".tag=" + std::to_string(tag)});
    say({"!done", ".tag=" + std::to_string(tag)});
    BOOST_REQUIRE(received.endings.size() == 1U);
    BOOST_TEST(received.endings[0].second.message.starts_with("a\\x0d\\x0ab\\x1bxx"));
    BOOST_TEST(received.endings[0].second.message.size() <= 200U);
    say({"!fatal", "no\nmore"});
    BOOST_TEST((received.broken == Words{"no\\x0amore"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros
