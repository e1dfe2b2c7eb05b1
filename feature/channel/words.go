package channel

import "golang.org/x/text/language"

// words are the few words on the page of a channel, in the language of its posts. They are chosen by that and not by who asks, so that caches may keep the page.
type words struct{ Language, Direction, Follow, Followers, Verified, Nothing string }

var allWords = []words{
	{"en", "ltr", "Follow in an app", "Followers", "Verified by the operator", "Nothing has been published yet."},
	{"ar", "rtl", "تابِع في تطبيق", "المتابعون", "تحقق منها مشغّل الخادم", "لم يُنشر شيء بعد."},
	{"es", "ltr", "Seguir en una aplicación", "Seguidores", "Verificado por el operador", "Aún no se ha publicado nada."},
	{"fr", "ltr", "Suivre dans une application", "Abonnés", "Vérifié par l’opérateur", "Rien n’a encore été publié."},
	{"hi", "ltr", "ऐप में फ़ॉलो करें", "फ़ॉलोअर", "संचालक द्वारा सत्यापित", "अभी तक कुछ प्रकाशित नहीं हुआ है।"},
	{"it", "ltr", "Segui in un’app", "Iscritti", "Verificato dal gestore", "Non è stato ancora pubblicato nulla."},
	{"pt-BR", "ltr", "Seguir em um aplicativo", "Seguidores", "Verificado pelo operador", "Nada foi publicado ainda."},
	{"sw", "ltr", "Fuata kwenye programu", "Wafuasi", "Imethibitishwa na mwendeshaji", "Bado hakuna kilichochapishwa."},
}

var wordsMatcher = func() language.Matcher {
	tags := make([]language.Tag, len(allWords))
	for i, one := range allWords {
		tags[i] = language.MustParse(one.Language)
	}
	return language.NewMatcher(tags)
}()

// wordsFor are those for a language (BCP 47), English for one that is not known.
func wordsFor(name string) words {
	tag, err := language.Parse(name)
	if err != nil {
		return allWords[0]
	}
	_, i, confidence := wordsMatcher.Match(tag)
	if confidence == language.No {
		i = 0
	}
	return allWords[i]
}
