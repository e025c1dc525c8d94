//! Messages and help in Japanese.

use crate::{Place, check};

#[test]
fn messages_follow_option_and_locale() {
    let wrong = "int main() { int unused = 1; return totl; }\n";
    let place = Place::new(&[("a.cm", wrong)]);
    let japanese = "a.cm:1:37: error: 変数 'totl' は定義されていません\n";
    let finding = "a.cm:1:18: warning: 変数 'unused' は使われていません [W001]\n";
    check(
        &place,
        &[
            ("run --lang=ja --format=short a.cm", 1, "", japanese),
            ("run --lang ja --format=short a.cm", 1, "", japanese),
            ("check -q --lang=ja --format=short a.cm", 1, "", &format!("{japanese}{finding}")),
            (
                "run --lang=en --format=short a.cm",
                1,
                "",
                "a.cm:1:37: error: Undefined variable 'totl'\n",
            ),
            (
                "run --lang=ja --format=json a.cm",
                1,
                "",
                "{…\"code\":\"E0501\",\"message\":\"変数 'totl' は定義されていません\",…}\n",
            ),
            ("run --lang=ja none.cm", 1, "", "error: none.cm を開けません\n"),
            ("--lang=ja", 1, "", "error: コマンドがありません。…"),
            ("--lang=ja help", 0, "…使い方: cm COMMAND…", ""),
            ("run --lang=fr a.cm", 1, "", "error: invalid value 'fr'…"),
            (
                "run --frob --lang=ja a.cm",
                1,
                "",
                "error: 予期しない引数 '--frob' があります\n…詳しくは '--help' を…",
            ),
            (
                "fmt --range=0 --lang=ja a.cm",
                1,
                "",
                "error: '--range <FIRST:LAST>' に値 '0' は使えません: 2 つの…",
            ),
        ],
    );
    for (variable, value, expected) in [
        ("LANG", "ja_JP.UTF-8", "変数"),
        ("LC_ALL", "ja", "変数"),
        ("LANG", "de_DE.UTF-8", "Undefined"),
        ("LANG", "C", "Undefined"),
    ] {
        let mut command = place.command("run --format=short a.cm");
        command
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES")
            .env_remove("LANG")
            .env(variable, value);
        let output = command.output().expect("cm runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(expected), "{variable}={value}: {stderr}");
    }
}

/// What commands say when all is well.
#[test]
fn summaries_are_in_japanese() {
    let test =
        "#[test]\nvoid works() { }\n#[test]\nbool fails() { println(\"new\"); return false; }\n";
    let place = Place::new(&[("a.cm", "int main() { return 7; }\n"), ("t.cm", test)]);
    check(
        &place,
        &[
            ("check --lang=ja a.cm", 0, "\ncheck\nファイル: 1/1\nエラー: 0、警告: 0\n", ""),
            ("lint --lang=ja --fix a.cm", 0, "…エラー: 0、警告: 0\n修正: 0\n", ""),
            ("fmt --lang=ja a.cm", 0, "\nfmt\nファイル: 0/1\n変更: 0\n", ""),
            (
                "test --lang=ja t.cm",
                1,
                "テスト t::works ... 成功\nテスト t::fails ... 失敗\n\nt::fails: 結果がよくありません\n  | new\n\n\
                 テスト: 2、成功: 1 (変更なし: 0)、失敗: 1\n",
                "",
            ),
            ("run --lang=ja a.cm -- x", 7, "", "warning: プログラムの引数は無視されます\n"),
            (
                "why --lang=ja",
                0,
                "変わった入力はありませんでした\n実行されたクエリ: …\n  parse(a): 記録がない\n…",
                "",
            ),
            ("why --lang=ja mir", 0, "…mir(a::main): 記録がない\n  mir_refs(a::main)\n…", ""),
            ("why --lang=ja zork", 1, "", "error: zork は直前のビルドで実行されていません\n"),
            (
                "cache stats --lang=ja",
                0,
                "ディレクトリ: .cm_cache\nエントリ: …\n大きさ: … KB\n…\
                 \x20 graph: ファイル … 個、… KB\n…ヒット: …最も新しいもの: … 秒前\n",
                "",
            ),
            (
                "cache --lang=ja verify",
                0,
                "正常: エントリ … 個、… KB\n破損して削除したもの: 0\n",
                "",
            ),
            ("cache clean --lang=ja", 0, ".cm_cache を削除しました\n", ""),
            ("cache clean --lang=ja", 0, ".cm_cache にキャッシュはありません\n", ""),
            (
                "init --lang=ja p",
                0,
                "p/cm.toml を作りました\n…次を試してください: cm run p/src/main.cm\n",
                "",
            ),
        ],
    );
}

#[test]
fn no_help_is_left_in_english() {
    let place = Place::new(&[]);
    let commands = [
        "",
        "run",
        "compile",
        "check",
        "lint",
        "test",
        "fmt",
        "init",
        "cache",
        "cache clean",
        "cache stats",
        "cache gc",
        "cache verify",
        "cache list",
        "cache show",
        "cache path",
        "cache key",
        "cache key generate",
        "cache key list",
        "cache key trust",
        "cache key revoke",
        "why",
        "completions",
    ];
    for command in commands {
        let found =
            place.command(&format!("{command} --help")).env("LC_ALL", "ja_JP.UTF-8").output();
        let help = String::from_utf8(found.expect("cm runs").stdout).expect("UTF-8");
        assert!(help.contains("使い方: "), "{command}: {help}");
        let english = |line: &&str| {
            let japanese = line.chars().any(|c| c >= '\u{3000}');
            let words = line.split(' ').filter(|word| word.len() > 1);
            let lower = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase());
            !japanese && words.filter(lower).count() > 1
        };
        let left: Vec<&str> = help.lines().filter(english).collect();
        assert!(left.is_empty(), "cm {command} --help: {left:#?}");
    }
}
